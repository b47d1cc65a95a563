// What the scenarios of all libraries for SQL Server have in common. Whatever is wrong throws, and ends the program badly.
import { readFileSync } from 'node:fs';
import { Connection, Request, TYPES } from 'tedious';
import { numbers, together } from '../../../clients/node/common.mjs';

export {
  inRounds,
  inTurn,
  numbers,
  play,
  printVersion,
  together,
} from '../../../clients/node/common.mjs';

const { DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, DB_TLS, DB_CA } = process.env;

/** In the words of tedious, which nearly all libraries pass on: nothing is said of TLS where it is to decide. */
export const options = {
  port: Number(DB_PORT),
  database: DB_NAME,
  ...(DB_TLS === 'disable' && { encrypt: false }),
  ...(DB_TLS === 'verify-full' && { encrypt: true }),
  ...(DB_TLS === 'trust'
    ? { encrypt: true, trustServerCertificate: true }
    : { cryptoCredentialsDetails: { ca: readFileSync(DB_CA, 'utf8') } }),
};

export const address = {
  // Certificates are of names.
  server: DB_HOST === '127.0.0.1' ? 'localhost' : DB_HOST,
  port: Number(DB_PORT),
  user: DB_USER,
  password: DB_PASSWORD,
  database: DB_NAME,
};

/** More clients than there are connections. */
export const CROWD = 6;

/** A connected client of tedious. */
export function connect(more = {}) {
  const connection = new Connection({
    server: address.server,
    authentication: { type: 'default', options: { userName: DB_USER, password: DB_PASSWORD } },
    options: { ...options, ...more },
  });
  return new Promise((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve(connection)));
  });
}

/** Rows as objects. `kind` is a method of tedious's that takes a request. */
export function ask(connection, sql, parameters = {}, kind = 'execSql') {
  return new Promise((resolve, reject) => {
    const rows = [];
    const request = new Request(sql, (error) => (error ? reject(error) : resolve(rows)));
    for (const [name, value] of Object.entries(parameters))
      request.addParameter(name, Number.isInteger(value) ? TYPES.Int : TYPES.NVarChar, value);
    request.on('row', (columns) =>
      rows.push(
        Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, value])),
      ),
    );
    connection[kind](request);
  });
}

export const batch = (connection, sql) => ask(connection, sql, {}, 'execSqlBatch');

/** Connected clients of tedious, which are ended in any case; `more` may be a function of the client's number. */
export async function withClients(count, more, work) {
  const optionsOf = (n) => (typeof more === 'function' ? more(n) : more);
  const clients = [];
  try {
    for (const n of numbers(count)) clients.push(await connect(optionsOf(n)));
    return await work(clients);
  } finally {
    await together(
      clients,
      (client) =>
        new Promise((resolve) => {
          client.once('end', resolve);
          client.close();
        }),
    );
  }
}

/** Runs batches on a client of their own, to make and to remove what a scenario needs. */
export async function administer(...statements) {
  await withClients(1, {}, async ([client]) => {
    for (const text of statements) await batch(client, text);
  });
}

/** Makes a table for each client of a crowd, and removes them when the work is done. */
export async function withTables(word, columns, work) {
  const tables = numbers(CROWD).map((n) => `sluice_${word}_${n}`);
  await administer(
    ...tables.flatMap((name) => [
      `IF OBJECT_ID('${name}') IS NOT NULL DROP TABLE ${name}`,
      `CREATE TABLE ${name} (${columns})`,
    ]),
  );
  await work(tables);
  await administer(...tables.map((name) => `DROP TABLE ${name}`));
}
