// What the scenarios of all libraries have in common. Whatever is wrong throws, and ends the program badly.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT } = process.env;

/** Undefined where the library is to decide. */
const ssl = {
  disable: false,
  'verify-full': PGSSLROOTCERT && { ca: readFileSync(PGSSLROOTCERT, 'utf8') },
}[PGSSLMODE];

/** Where the database is, in the words of pg. */
export const address = {
  host: PGHOST,
  port: Number(PGPORT),
  user: PGUSER,
  password: PGPASSWORD,
  database: PGDATABASE,
  ...(ssl !== undefined && { ssl }),
};

/** Plays the scenarios whose names come by standard input, and prints the name of each that it has played. */
export async function play(scenarios) {
  for await (const name of createInterface({ input: process.stdin })) {
    assert.ok(Object.hasOwn(scenarios, name), `there is no scenario ${name}`);
    await scenarios[name]();
    console.log(name);
  }
}

/** Prints the version of an installed package. */
export function printVersion(name) {
  const manifest = new URL(`../../../../node_modules/${name}/package.json`, import.meta.url);
  console.log(JSON.parse(readFileSync(manifest, 'utf8')).version);
}

/** Numbers from zero. */
export const numbers = (count) => Array.from({ length: count }, (_, n) => n);

/** Does something with each of them at once. */
export const together = (items, work) => Promise.all(items.map((item, n) => work(item, n)));

/** Does something with each of them, one after another. */
export async function inTurn(items, work) {
  for (const [n, item] of items.entries()) await work(item, n);
}

/** Does something with each of them at once, again and again: who gets which connection changes from round to round. */
export async function inRounds(rounds, items, work) {
  for (const round of numbers(rounds)) {
    await together(items, (item, n) => work(item, n, round));
  }
}

/** Connected clients of pg, which are ended in any case; `options` may be a function of the client's number. */
export async function withClients(count, options, work) {
  const clients = numbers(count).map((n) => {
    const more = typeof options === 'function' ? options(n) : options;
    return new pg.Client({ ...address, ...more });
  });
  try {
    await together(clients, (client) => client.connect());
    return await work(clients);
  } finally {
    await together(clients, (client) => client.end());
  }
}

/** Works with a client of the pool, and gives it back. */
export async function lend(pool, work) {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/** A pool of pg with each of these options, all of them ended in any case. */
export async function withPools(options, work) {
  const pools = options.map((more) => new pg.Pool({ ...address, max: 3, ...more }));
  try {
    await work(pools);
  } finally {
    await together(pools, (pool) => pool.end());
  }
}

/** The first row. */
export async function one(client, ...query) {
  const { rows } = await client.query(...query);
  return rows[0];
}

/** Runs statements on a client of their own, to make and to remove what a scenario needs. */
export async function administer(text) {
  await withClients(1, {}, ([client]) => client.query(text));
}

/** Gives everybody else a chance to run. */
export const pause = () => sleep(1);

/** For clients that set one of their own each. */
export const zones = [
  'UTC',
  'Asia/Tokyo',
  'America/New_York',
  'Europe/Lisbon',
  'Asia/Kathmandu',
  'Australia/Sydney',
];
