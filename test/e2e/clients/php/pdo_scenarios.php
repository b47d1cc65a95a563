<?php

// PDO through Sluice: scenario by scenario, found by libpq's environment.

require __DIR__ . '/crowd.php';
require __DIR__ . '/play.php';

function connect(array $options = []): PDO
{
    // Without a name PDO says so to libpq, which looks no further.
    return new PDO('pgsql:dbname=' . getenv('PGDATABASE'), null, null, $options + [
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM,
    ]);
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

function version(): void
{
    same(['app'], ask(connect(), 'SELECT current_user'));
    echo phpversion('pdo_pgsql'), "\n";
}

/** What Laravel and Doctrine say on each connection, by prepared statements (PG-57, GX-01). */
function framework(): void
{
    $clients = crowd();
    foreach ($clients as $n => $pdo) {
        ask($pdo, "SET NAMES 'utf8'");
        ask($pdo, 'SET TIME ZONE "' . ZONES[$n] . '"');
        ask($pdo, "SET search_path TO \"tenant $n\", app");
        $pdo->exec("SET application_name TO 'php $n'");
        $pdo->exec('SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    }
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $pdo) {
            $seen = ask($pdo, "SELECT current_setting('TimeZone'), current_setting('search_path'),
                current_setting('application_name'), current_setting('transaction_isolation'), ?::int", [$n]);
            same([ZONES[$n], "\"tenant $n\", app", "php $n", 'repeatable read', $n], $seen);
        }
    }
}

/** `pdo_stmt_00000001` in all clients, of different texts, and DEALLOCATE for each when it goes (PG-84, PG-85). */
function real_prepares(): void
{
    $clients = crowd();
    $kept = array_map(fn($pdo, $n) => $pdo->prepare("SELECT $n, ?::int"), $clients, array_keys($clients));
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $pdo) {
            $kept[$n]->execute([$round]);
            same([[$n, $round]], $kept[$n]->fetchAll());
            for ($k = 0; $k < 3; $k++) {
                same([$n * 10 + $k + $round], ask($pdo, "SELECT $n * 10 + $k + ?::int", [$round]));
            }
            same('42703', failing(fn() => ask($pdo, 'SELECT nothing + ?', [1])));
        }
    }
}

/** Emulated: only simple queries. Without prepares: statements without names. */
function other_prepares(): void
{
    foreach ([PDO::ATTR_EMULATE_PREPARES, PDO::PGSQL_ATTR_DISABLE_PREPARES] as $attribute) {
        $clients = crowd([$attribute => true]);
        for ($round = 0; $round < ROUNDS; $round++) {
            foreach ($clients as $n => $pdo) {
                same([$n + $round, "it's \\"], ask($pdo, "SELECT $n + ?::int, ?::text", [$round, "it's \\"]));
            }
        }
    }
}

/** A prepared statement inside a transaction that fails, and is used again after it. */
function transactions(): void
{
    $clients = crowd();
    $clients[0]->exec('DROP TABLE IF EXISTS app.stock; CREATE TABLE app.stock (n int PRIMARY KEY, left_ int)');
    foreach ($clients as $n => $pdo) {
        $insert = $pdo->prepare('INSERT INTO app.stock VALUES (?, ?)');
        $pdo->beginTransaction();
        $insert->execute([$n, 10]);
        same('23505', failing(fn() => $insert->execute([$n, 10])));
        same('25P02', failing(fn() => $pdo->query('SELECT 1')));
        $pdo->rollBack();
        $pdo->beginTransaction();
        $insert->execute([$n, 10]);
        $pdo->commit();
        $insert = null;
    }
    same([10 * count(ZONES)], ask($clients[0], 'SELECT sum(left_)::int FROM app.stock'));
    $clients[0]->exec('DROP TABLE app.stock');
}

/** COPY both ways, and a large object, read and written by function calls (PG-09, PG-11). */
function copies(): void
{
    $pdo = connect();
    $pdo->exec('DROP TABLE IF EXISTS app.copied; CREATE TABLE app.copied (n int, t text)');
    same(true, $pdo->pgsqlCopyFromArray('app.copied', array_map(fn($n) => "$n\tt $n", range(1, 1000))));
    same(1000, count($pdo->pgsqlCopyToArray('app.copied')));
    $pdo->exec('DROP TABLE app.copied');
    $text = str_repeat('large object ', 20000);
    $pdo->beginTransaction();
    $oid = $pdo->pgsqlLOBCreate();
    $stream = $pdo->pgsqlLOBOpen($oid, 'w');
    same(strlen($text), fwrite($stream, $text));
    fclose($stream);
    same($text, stream_get_contents($pdo->pgsqlLOBOpen($oid, 'r')));
    $pdo->pgsqlLOBUnlink($oid);
    $pdo->commit();
}

/** lastInsertId() is LASTVAL() or CURRVAL(…), which the session keeps: in a transaction (PG-66). */
function last_insert_id(): void
{
    $clients = crowd();
    $clients[0]->exec('DROP TABLE IF EXISTS app.numbered; CREATE TABLE app.numbered (id serial PRIMARY KEY, n int)');
    foreach ($clients as $n => $pdo) {
        $pdo->beginTransaction();
        ask($pdo, 'INSERT INTO app.numbered (n) VALUES (?)', [$n]);
        same((string) ($n + 1), $pdo->lastInsertId());
        same((string) ($n + 1), $pdo->lastInsertId('app.numbered_id_seq'));
        $pdo->commit();
        $clients[$n] = null;
    }
    connect()->exec('DROP TABLE app.numbered');
}

/** A scrollable cursor is declared WITH HOLD, and pins until it is closed (PG-66). */
function scroll_cursor(): void
{
    foreach ($clients = crowd() as $n => $pdo) {
        $cursor = $pdo->prepare("SELECT generate_series($n, $n + 9)", [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
        $cursor->execute();
        same([$n + 9], $cursor->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST));
        same([$n + 2], $cursor->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 3));
        $cursor = null;
        same([1], ask($clients[($n + 1) % count(ZONES)], 'SELECT 1'));
    }
}

/** LISTEN pins until UNLISTEN (PG-69). */
function listen(): void
{
    foreach ($clients = crowd() as $n => $pdo) {
        $pdo->exec('LISTEN news');
        $clients[($n + 1) % count(ZONES)]->exec("NOTIFY news, '$n'");
        $heard = $pdo->pgsqlGetNotify(PDO::FETCH_ASSOC, 10000);
        same(['news', (string) $n], [$heard['message'], $heard['payload']]);
        $pdo->exec('UNLISTEN news');
    }
}

play();
