<?php

// PDO through Sluice, found by `DB_HOST` and so on: scenario by scenario.

require __DIR__ . '/crowd.php';
require __DIR__ . '/../../php/play.php';

function connect(array $options = []): PDO
{
    $where = 'mysql:host=' . getenv('DB_HOST') . ';port=' . getenv('DB_PORT') . ';dbname=' . getenv('DB_NAME') . ';charset=utf8mb4';
    return new PDO($where, getenv('DB_USER'), getenv('DB_PASSWORD'), $options + [
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM,
    ] + (wantsTls() ? [PDO::MYSQL_ATTR_SSL_CA => getenv('DB_CA')] : []));
}

/** More clients than there are database connections, all at once. */
function crowd(array $options = []): array
{
    return array_map(fn() => connect($options), ZONES);
}

function ask(PDO $pdo, string $query, array $values = []): array|false
{
    $statement = $pdo->prepare($query);
    $statement->execute($values);
    return $statement->columnCount() > 0 ? $statement->fetch() : false;
}

/** The number of the error that must come. */
function failing(callable $work): int
{
    try {
        $work();
    } catch (PDOException $error) {
        return $error->errorInfo[1];
    }
    throw new Exception('no error');
}

function version(): void
{
    same('app', explode('@', ask(connect(), 'SELECT CURRENT_USER()')[0])[0]);
    echo phpversion('pdo_mysql'), "\n";
}

/** What Laravel and Doctrine say on each connection, by prepared statements (traps GX-01, MY-45, MY-57). */
function framework(): void
{
    foreach ([false, true] as $emulates) {
        $clients = crowd([PDO::ATTR_EMULATE_PREPARES => $emulates]);
        foreach ($clients as $n => $pdo) {
            ask($pdo, 'USE `app`');
            ask($pdo, "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'");
            ask($pdo, 'SET time_zone="' . ZONES[$n] . '"');
            ask($pdo, "SET SESSION sql_mode='" . ($n % 2 ? 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY' : '') . "'");
            ask($pdo, 'SET SESSION TRANSACTION ISOLATION LEVEL ' . LEVELS[$n % 3]);
        }
        for ($round = 0; $round < ROUNDS; $round++) {
            foreach ($clients as $n => $pdo) {
                $seen = ask($pdo, 'SELECT @@time_zone, @@sql_mode LIKE "%GROUP%", @@collation_connection, @@' . isolation());
                same([ZONES[$n], $n % 2, 'utf8mb4_unicode_ci', strtr(LEVELS[$n % 3], ' ', '-')], $seen);
            }
        }
    }
}

/** Statements of the protocol's, of different texts under equal numbers (traps MY-60, MY-62, MY-70). */
function prepared(): void
{
    $clients = crowd([PDO::ATTR_EMULATE_PREPARES => false]);
    $kept = array_map(fn($pdo, $n) => $pdo->prepare("SELECT $n, ? + 0"), $clients, array_keys($clients));
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $pdo) {
            $kept[$n]->bindValue(1, $round, PDO::PARAM_INT);
            $kept[$n]->execute();
            $rows = $kept[$n]->fetchAll();
            same([$n, (float) $round], [$rows[0][0], (float) $rows[0][1]]);
            for ($k = 0; $k < 3; $k++) {
                same([$n * 10 + $k, "it's é $round"], ask($pdo, "SELECT $n * 10 + $k, CONCAT(?)", ["it's é $round"]));
            }
            same(1054, failing(fn() => ask($pdo, 'SELECT nothing + ?', [1])));
            same(1242, failing(fn() => ask($pdo, 'SELECT (SELECT 1 UNION SELECT 2) + ?', [1])));
        }
    }
}

/** With savepoints, failures, autocommit off and lastInsertId() (traps MY-41, MY-44, MY-48). */
function transactions(): void
{
    $clients = crowd();
    $clients[0]->exec('CREATE TABLE orders_of (id INT AUTO_INCREMENT PRIMARY KEY, n INT, UNIQUE (n, id))');
    $last = 0;
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $pdo) {
            $pdo->beginTransaction();
            ask($pdo, 'INSERT INTO orders_of (n) VALUES (?)', [$n]);
            $id = $pdo->lastInsertId();
            same(true, $id > $last);
            $last = $id;
            $pdo->exec('SAVEPOINT trans2');
            same(1062, failing(fn() => ask($pdo, 'INSERT INTO orders_of VALUES (?, ?)', [$id, $n])));
            ask($pdo, 'UPDATE orders_of SET n = -1');
            $pdo->exec('ROLLBACK TO SAVEPOINT trans2');
            same([(int) $id], ask($pdo, 'SELECT LAST_INSERT_ID()'));
            $round % 2 ? $pdo->rollBack() : $pdo->commit();
        }
    }
    foreach ($clients as $n => $pdo) {
        same([ROUNDS / 2], ask($pdo, 'SELECT COUNT(*) FROM orders_of WHERE n = ?', [$n]));
    }
    foreach (crowd([PDO::ATTR_AUTOCOMMIT => false]) as $n => $pdo) {
        ask($pdo, 'DELETE FROM orders_of WHERE n = ?', [$n]);
        $pdo->commit();
    }
    same([0], ask($clients[0], 'SELECT COUNT(*) FROM orders_of'));
    $clients[0]->exec('DROP TABLE orders_of');
}

/** Several results, of procedures and of several statements in one text, buffered or not (trap MY-08). */
function several_results(): void
{
    connect()->exec('CREATE PROCEDURE both_of(n INT) BEGIN SELECT n; SELECT n + 1; END');
    foreach ([true, false] as $buffers) {
        $clients = crowd([PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => $buffers]);
        for ($round = 0; $round < ROUNDS; $round++) {
            foreach ($clients as $n => $pdo) {
                foreach (["CALL both_of($n)", "SELECT $n; SET @n = $n; SELECT @n + 1"] as $query) {
                    $seen = [];
                    $statement = $pdo->query($query);
                    do {
                        if ($statement->columnCount() > 0) {
                            array_push($seen, ...$statement->fetchAll(PDO::FETCH_COLUMN));
                        }
                    } while ($statement->nextRowset());
                    same([$n, $n + 1], array_map(intval(...), $seen));
                    $statement = null;
                }
            }
        }
    }
    connect()->exec('DROP PROCEDURE both_of');
}

/** A file of the client's (trap MY-10). */
function local_files(): void
{
    $path = tempnam(sys_get_temp_dir(), 'lines');
    file_put_contents($path, implode('', array_map(fn($n) => "line $n\n", range(1, 5000))));
    $clients = crowd([PDO::MYSQL_ATTR_LOCAL_INFILE => true]);
    $clients[0]->exec('CREATE TABLE file_lines (line VARCHAR(20), n INT)');
    foreach ($clients as $n => $pdo) {
        same(5000, $pdo->exec("LOAD DATA LOCAL INFILE '$path' INTO TABLE file_lines (line) SET n = $n"));
    }
    unlink($path);
    same([count(ZONES) * 5000], ask($clients[0], 'SELECT COUNT(*) FROM file_lines'));
    $clients[0]->exec('DROP TABLE file_lines');
}

function temporary_tables(): void
{
    foreach (crowd() as $n => $pdo) {
        $pdo->exec('CREATE TEMPORARY TABLE scratch (n INT)');
        ask($pdo, 'INSERT INTO scratch VALUES (?)', [$n]);
        same([$n], ask($pdo, 'SELECT n FROM scratch'));
        $pdo->exec('DROP TEMPORARY TABLE scratch');
    }
}

play();
