<?php

// What the scripts share: more clients than there are connections, and settings that tell them apart.

// One time zone for each client of a crowd: no two alike.
const ZONES = [
    'Asia/Tokyo',
    'America/New_York',
    'Europe/Berlin',
    'Pacific/Auckland',
    'Africa/Cairo',
    'Asia/Kolkata',
    'America/Sao_Paulo',
    'Australia/Perth',
];
const ROUNDS = 4;

// A warning is a failure.
set_error_handler(function (int $level, string $message): void {
    throw new ErrorException($message, 0, $level);
});

function same(mixed $expected, mixed $seen): void
{
    if ($expected !== $seen) {
        throw new Exception('expected ' . json_encode($expected) . ', not ' . json_encode($seen));
    }
}

/** The SQLSTATE of the error that must come. */
function failing(callable $work): string
{
    try {
        $work();
    } catch (PDOException $error) {
        return $error->errorInfo[0];
    }
    throw new Exception('no error');
}
