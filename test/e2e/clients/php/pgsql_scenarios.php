<?php

// PHP's pgsql functions through Sluice: scenario by scenario, found by libpq's environment.

require __DIR__ . '/crowd.php';
require __DIR__ . '/play.php';

function connect(): PgSql\Connection
{
    return pg_connect('', PGSQL_CONNECT_FORCE_NEW);
}

/** More clients than there are database connections, all at once. */
function crowd(): array
{
    return array_map(fn() => connect(), ZONES);
}

function version(): void
{
    same('app', pg_fetch_result(pg_query(connect(), 'SELECT current_user'), 0));
    echo phpversion('pgsql'), "\n";
}

/** The encoding, which is a SET, and other settings of one's own. */
function settings(): void
{
    $clients = crowd();
    $encodings = ['LATIN1', 'UTF8'];
    foreach ($clients as $n => $one) {
        same(0, pg_set_client_encoding($one, $encodings[$n % 2]));
        pg_query($one, "SET TIME ZONE '" . ZONES[$n] . "'; SET search_path = app, \"own $n\"");
    }
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $one) {
            $seen = pg_fetch_row(pg_query_params($one, "SELECT current_setting('TimeZone'),
                current_setting('search_path'), chr(233), $1::int", [$round]));
            same(ZONES[$n], $seen[0]);
            same("app, \"own $n\"", $seen[1]);
            same(['e9', 'c3a9'][$n % 2], bin2hex($seen[2]));
            same($encodings[$n % 2], pg_client_encoding($one));
            same(ZONES[$n], pg_parameter_status($one, 'TimeZone'));
        }
    }
}

/** Named statements of one name and different texts (PG-80, PG-84). */
function prepared(): void
{
    $clients = crowd();
    foreach ($clients as $n => $one) {
        pg_prepare($one, 'same', "SELECT $n + $1::int");
        pg_query($one, "PREPARE other AS SELECT $n * 2");
    }
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $one) {
            same((string) ($n + $round), pg_fetch_result(pg_execute($one, 'same', [$round]), 0));
            same((string) ($n * 2), pg_fetch_result(pg_query($one, 'EXECUTE other'), 0));
            same((string) ($n * 2), pg_fetch_result(pg_execute($one, 'other', []), 0));
        }
    }
    foreach ($clients as $n => $one) {
        pg_query($one, 'DEALLOCATE same');
        pg_prepare($one, 'same', "SELECT $n - $1::int");
        same((string) ($n - 1), pg_fetch_result(pg_execute($one, 'same', [1]), 0));
    }
}

/** All clients ask before anybody reads an answer; there are fewer connections than questions. */
function asynchronous(): void
{
    $clients = crowd();
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach ($clients as $n => $one) {
            same(true, pg_send_query($one, "SELECT $n; SELECT $round"));
        }
        foreach ($clients as $n => $one) {
            same((string) $n, pg_fetch_result(pg_get_result($one), 0));
            same((string) $round, pg_fetch_result(pg_get_result($one), 0));
            same(false, pg_get_result($one));
        }
    }
}

/** Rows as arrays into a table and out again, and the helpers that look into the catalogue. */
function copies(): void
{
    $one = connect();
    pg_query($one, 'DROP TABLE IF EXISTS app.rows; CREATE TABLE app.rows (n int PRIMARY KEY, t text)');
    same(true, pg_copy_from($one, 'app.rows', array_map(fn($n) => "$n\tt\n", range(1, 1000))));
    same(1000, count(pg_copy_to($one, 'app.rows')));
    same('int4', pg_meta_data($one, 'app.rows')['n']['type']);
    pg_insert($one, 'app.rows', ['n' => '0', 't' => "it's"]);
    same([['n' => '0', 't' => "it's"]], pg_select($one, 'app.rows', ['n' => '0']));
    pg_query($one, 'DROP TABLE app.rows');
}

play();
