/** By their names in Sequelize, with the ports that they are known by. */
const ports = { mysql: '3306', postgres: '5432', mssql: '1433' } as const;
export type Dialect = keyof typeof ports;

/** For SQL Server at home: there may be no certificate to be held to its name, or no TLS. */
const tlsWays = ['verify', 'trust', 'off'] as const;

/** What the function is told by its environment. */
export interface Settings {
  /** `mysql` is for MariaDB, too. */
  readonly dialect: Dialect;
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Undefined where the function signs in with IAM tokens. */
  readonly password: string | undefined;
  /** With `mssql`: whether the certificate is held to the host's name, or is anybody's, or there is no TLS. */
  readonly tls: (typeof tlsWays)[number];
  /** How long to wait for a connection. */
  readonly patienceMs: number;
  /** How long the payment takes. */
  readonly paymentMs: number;
}

/** Throws with the name of what is missing or no number; never with a value. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const text = (name: string, otherwise?: string): string => {
    const value = env[name] ?? otherwise;
    if (value === undefined || value === '') throw new Error(`${name} is not set`);
    return value;
  };
  const number = (name: string, otherwise?: string): number => {
    const value = text(name, otherwise);
    if (!/^\d{1,6}$/.test(value)) throw new Error(`${name} is not a number`);
    return Number(value);
  };
  const oneOf = <T extends string>(name: string, all: readonly T[], otherwise: T): T => {
    const value = text(name, otherwise);
    const found = all.find((one) => one === value);
    if (found === undefined) throw new Error(`${name} is none of ${all.join(', ')}`);
    return found;
  };
  const dialect = oneOf('DB_DIALECT', ['mysql', 'postgres', 'mssql'], 'mysql');
  return {
    dialect,
    tls: oneOf('DB_TLS', tlsWays, 'verify'),
    region: text('REGION'),
    host: text('DB_PROXY_ENDPOINT'),
    port: number('DB_PROXY_PORT', ports[dialect]),
    user: text('DB_USERNAME'),
    database: text('DB_NAME', 'shop'),
    password: env['DB_PASSWORD'],
    // API Gateway gives up after 29 seconds.
    patienceMs: number('DB_PATIENCE_MS', '25000'),
    paymentMs: number('PAYMENT_MS', '0'),
  };
}
