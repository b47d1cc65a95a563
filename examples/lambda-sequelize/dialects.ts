import type { Signer } from '@aws-sdk/rds-signer';
import mysql2 from 'mysql2';
import pg from 'pg';
import type { Options } from 'sequelize';
import { Connection, ISOLATION_LEVEL, Request, TYPES } from 'tedious';
import type { Dialect, Settings } from './settings.ts';

/** Who is trusted: the authorities that Node knows, Amazon's are among them, and those in NODE_EXTRA_CA_CERTS. */
const ssl = { rejectUnauthorized: true, verifyIdentity: true };

/** What Sequelize is to be told of the connection that depends on the database. */
export const dialects: Readonly<Record<Dialect, (settings: Settings, signer: Signer) => Options>> =
  {
    mysql: ({ password, patienceMs }, signer) => ({
      dialect: 'mysql',
      // Bundlers do not see what Sequelize loads by a name; and it copies what it is given here, so that it is no more than it needs.
      dialectModule: { createConnection: mysql2.createConnection },
      dialectOptions: {
        connectTimeout: patienceMs,
        // mysql2 makes room for this many with each connection, at once; if nothing is said, for 16 000.
        maxPreparedStatements: 100,
        ...(password === undefined ? { authPlugins: tokens(signer) } : {}),
      },
      hooks: {
        // Sequelize would hand over a copy of what stands in its options, and mysql2 keeps TLS sessions with the object.
        beforeConnect: (config) => void Object.assign(config.dialectOptions ?? {}, { ssl }),
      },
    }),
    postgres: ({ password, patienceMs }, signer) => ({
      dialect: 'postgres',
      dialectModule: { Client: pg.Client, types: pg.types },
      // pg holds the certificate to the host's name by itself.
      dialectOptions: { connectionTimeoutMillis: patienceMs, ssl: { rejectUnauthorized: true } },
      hooks: {
        async beforeConnect(config) {
          if (password === undefined) config.password = await signer.getAuthToken();
        },
      },
    }),
    mssql: ({ password, patienceMs, tls }, signer) => ({
      dialect: 'mssql',
      dialectModule: { Connection, ISOLATION_LEVEL, Request, TYPES },
      dialectOptions: {
        options: {
          encrypt: tls !== 'off',
          // Sequelize would trust anybody.
          trustServerCertificate: tls !== 'verify',
          connectTimeout: patienceMs,
          // Of each request, the time in a proxy's queue included.
          requestTimeout: patienceMs,
        },
      },
      hooks: {
        async beforeConnect(config) {
          if (password !== undefined) return;
          const authentication = accessToken(await signer.getAuthToken());
          Object.assign(config.dialectOptions ?? {}, { authentication });
        },
      },
    }),
  };

/** A token for each connection, when it is asked for: it is good for 15 minutes, and mysql_clear_password ends it with NUL. */
function tokens(signer: Signer): object {
  return {
    mysql_clear_password: () => async () => Buffer.from(`${await signer.getAuthToken()}\0`),
  };
}

/** Not as the password: a proxy takes it there, too, but Amazon's wants it where access tokens are. */
function accessToken(token: string): object {
  return { type: 'azure-active-directory-access-token', options: { token } };
}
