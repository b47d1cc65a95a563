// What the scenarios of all libraries for MySQL and MariaDB have in common. Whatever is wrong throws, and ends the program badly.
import { readFileSync } from 'node:fs';
import mysql2 from 'mysql2/promise';
import { numbers, together } from '../../node/common.mjs';

export { inRounds, inTurn, numbers, play, printVersion, together } from '../../node/common.mjs';

const { DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, DB_TLS, DB_CA, DB_FLAVOUR } = process.env;

export const isMariadb = DB_FLAVOUR === 'mariadb';

/** Undefined where the library is to decide. */
export const ssl =
  DB_TLS === 'verify-full'
    ? { ca: readFileSync(DB_CA, 'utf8'), rejectUnauthorized: true }
    : undefined;

/** Where the database is, in the words of mysql2 and of the MariaDB connector. */
export const address = {
  host: DB_HOST,
  port: Number(DB_PORT),
  user: DB_USER,
  password: DB_PASSWORD,
  database: DB_NAME,
  ...(ssl !== undefined && { ssl }),
};

/** More clients than there are connections. */
export const CROWD = 6;

/** For clients that set one of their own each: no two alike. */
export const zones = ['+00:00', '+09:00', '-05:00', '+01:30', '+05:45', '+10:00'];

/** Connected clients of mysql2, which are ended in any case; `options` may be a function of the client's number. */
export async function withClients(count, options, work) {
  const optionsOf = (n) => (typeof options === 'function' ? options(n) : options);
  const clients = [];
  try {
    for (const n of numbers(count))
      clients.push(await mysql2.createConnection({ ...address, ...optionsOf(n) }));
    return await work(clients);
  } finally {
    await together(clients, (client) => client.end());
  }
}

/** The first row of what mysql2 gives for a query. */
export async function one(client, ...query) {
  const [rows] = await client.query(...query);
  return rows[0];
}

/** Likewise for a statement that it prepares. */
export async function oneExecuted(client, ...query) {
  const [rows] = await client.execute(...query);
  return rows[0];
}

/** Runs statements on a client of their own, to make and to remove what a scenario needs. */
export async function administer(...statements) {
  await withClients(1, {}, async ([client]) => {
    for (const text of statements) await client.query(text);
  });
}

/** A schema for each application of a crowd, which `app` may make. */
export const schemas = numbers(CROWD).map((n) => `tenant_${n}`);

/** Makes the schemas, and removes them when the work is done. */
export async function withSchemas(work) {
  await administer(
    ...schemas.flatMap((name) => [`DROP DATABASE IF EXISTS ${name}`, `CREATE DATABASE ${name}`]),
  );
  await work();
  await administer(...schemas.map((name) => `DROP DATABASE ${name}`));
}
