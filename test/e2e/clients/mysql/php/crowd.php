<?php

// What the scripts share: more clients than there are connections, and settings that tell them apart.

// One time zone for each client of a crowd: no two alike.
const ZONES = ['+00:00', '+09:00', '-05:00', '+01:30', '+05:45', '+10:00'];
const ROUNDS = 4;
const LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];

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

function wantsTls(): bool
{
    return getenv('DB_TLS') === 'verify-full';
}

/** The variable that tells a session's isolation level. */
function isolation(): string
{
    return getenv('DB_FLAVOUR') === 'mariadb' ? 'tx_isolation' : 'transaction_isolation';
}
