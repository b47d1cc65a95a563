<?php

// mysqli through Sluice, found by `DB_HOST` and so on: scenario by scenario.

require __DIR__ . '/crowd.php';
require __DIR__ . '/../../php/play.php';

function connect(): mysqli
{
    $db = mysqli_init();
    if (wantsTls()) {
        $db->ssl_set(null, null, getenv('DB_CA'), null, null);
    }
    $db->options(MYSQLI_OPT_INT_AND_FLOAT_NATIVE, true);
    $flags = wantsTls() ? MYSQLI_CLIENT_SSL : 0;
    [$host, $user, $password, $name] = array_map(getenv(...), ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME']);
    $db->real_connect($host, $user, $password, $name, (int) getenv('DB_PORT'), null, $flags);
    return $db;
}

/** More clients than there are database connections, all at once. */
function crowd(): array
{
    return array_map(connect(...), ZONES);
}

function ask(mysqli $db, string $query, array $values = []): ?array
{
    return $db->execute_query($query, $values)->fetch_row();
}

function version(): void
{
    same('app', explode('@', ask(connect(), 'SELECT CURRENT_USER()')[0])[0]);
    echo phpversion('mysqli'), "\n";
}

/** What WordPress and others say on each connection: a character set, sql_mode asked for and set (traps GX-01, MY-45). */
function framework(): void
{
    foreach ($clients = crowd() as $n => $db) {
        $db->set_charset($n % 2 ? 'utf8mb4' : 'latin1');
        $db->query("SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'");
        $modes = $db->query('SELECT @@SESSION.sql_mode')->fetch_row()[0];
        $kept = array_diff(explode(',', $modes), ['ONLY_FULL_GROUP_BY', 'STRICT_TRANS_TABLES']);
        $db->query("SET SESSION sql_mode='" . implode(',', $kept) . "'");
        $db->query("SET @@session.time_zone = '" . ZONES[$n] . "'");
    }
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $db) {
            $seen = $db->query('SELECT @@time_zone, @@sql_mode LIKE "%STRICT%", @@collation_connection')->fetch_row();
            same([ZONES[$n], 0, 'utf8mb4_unicode_520_ci'], $seen);
            $db->select_db($round % 2 ? 'app' : 'information_schema');
            same([$round % 2 ? 'app' : 'information_schema'], $db->query('SELECT DATABASE()')->fetch_row());
        }
    }
}

/** A count beside a page, as WordPress asks for it (trap MY-48): such clients stay on their connection for a moment. */
function found_rows(): void
{
    $series = 'WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 40)';
    foreach (crowd() as $n => $db) {
        $page = $db->query("$series SELECT SQL_CALC_FOUND_ROWS g FROM s WHERE g > $n LIMIT 10");
        same(10, $page->num_rows);
        same([40 - $n], $db->query('SELECT FOUND_ROWS()')->fetch_row());
    }
}

/** Types that change, long data in pieces, rows fetched one by one (traps MY-60, MY-61, MY-62). */
function prepared(): void
{
    $clients = crowd();
    $kept = array_map(fn($db, $n) => $db->prepare("SELECT $n, CONCAT(?), LENGTH(?)"), $clients, array_keys($clients));
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $db) {
            $value = $round % 2 ? "it's $n" : $round;
            $long = null;
            $kept[$n]->bind_param($round % 2 ? 'sb' : 'ib', $value, $long);
            for ($k = 0; $k < 5; $k++) {
                $kept[$n]->send_long_data(1, str_repeat('x', 20_000));
            }
            $kept[$n]->execute();
            same([$n, (string) $value, 100_000], $kept[$n]->get_result()->fetch_row());
        }
    }
}

/** Commands of the protocol for what others say in SQL; another user (trap MY-24). */
function commands(): void
{
    $clients = crowd();
    $clients[0]->query('CREATE TABLE kept (n INT)');
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $db) {
            $db->query("SET @n = $n");
            same([(string) $n], array_map(strval(...), ask($db, 'SELECT @n')));
            same(true, str_contains($db->stat(), 'Uptime'));
            $db->change_user('reader', "reader's password", 'app');
            same(['reader', null], [explode('@', ask($db, 'SELECT USER()')[0])[0], ask($db, 'SELECT @n')[0]]);
            $db->change_user('app', getenv('DB_PASSWORD'), 'app');
            $db->autocommit(false);
            $db->begin_transaction(MYSQLI_TRANS_START_READ_ONLY);
            try {
                $db->query('INSERT INTO kept VALUES (1)');
                throw new Exception('no error');
            } catch (mysqli_sql_exception $error) {
                same(1792, $error->getCode());
            }
            $db->rollback();
            $db->autocommit(true);
        }
    }
    $clients[0]->query('DROP TABLE kept');
}

/** Queries of all clients at once, and several in one text (trap MY-08). */
function asynchronous(): void
{
    $clients = crowd();
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $db) {
            $db->query("SELECT $n + $round", MYSQLI_ASYNC);
        }
        foreach ($clients as $n => $db) {
            same([$n + $round], $db->reap_async_query()->fetch_row());
            $db->multi_query("SET @n = $n; SELECT @n; DO 0; SELECT @n + 1");
            $seen = [];
            do {
                if ($rows = $db->store_result()) {
                    $seen[] = (int) $rows->fetch_row()[0];
                }
            } while ($db->more_results() && $db->next_result());
            same([$n, $n + 1], $seen);
        }
    }
}

play();
