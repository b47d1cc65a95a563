import { z } from 'zod';
import { parsePolicy } from '../../iam/policy.ts';
import { awsSchema, REGION } from './aws-schema.ts';
import {
  flag,
  listenAddress,
  listOf,
  looseMapping,
  mapping,
  name,
  network,
  oneOf,
  portRange,
  secretText,
  text,
  whole,
} from './fields.ts';

const DAY_S = 86_400;

const path = (what: string) => text('the path of a file', `${what} Relative to the settings file.`);
const hostName = (what: string) =>
  text(
    'a host name or an IP address, without brackets and without a port',
    what,
    /^[\w.:%-]{1,253}$/,
  );

export const principalSchema = mapping(
  {
    accessKeyId: text(
      'an access key id of letters, digits and underscores',
      'The access key id with which the principal signs its tokens.',
      /^\w{1,128}$/,
    ),
    secretAccessKey: secretText('The secret that belongs to it.'),
    sessionToken: secretText('For temporary credentials: tokens must carry it.').optional(),
    policy: z
      .unknown()
      .superRefine((value, context) => {
        const issue =
          value === undefined ? { message: 'is missing; give an IAM policy' } : policyIssue(value);
        if (issue !== undefined) context.addIssue({ code: 'custom', ...issue });
      })
      .meta({
        description: 'An IAM policy that allows `rds-db:connect`, as YAML or JSON.',
        shown: 'policy',
      }),
  },
  'Who may sign in with IAM tokens.',
);

export const secretSchema = mapping(
  {
    name: text(
      'a name of at most 512 letters, digits and the characters /_+=.@!-',
      'By which `auth` refers to it.',
      /^[\w/+=.@!-]{1,512}$/,
    ),
    value: looseMapping(
      {
        username: text('the name of a database user, as text', 'The database user.'),
        password: secretText("The user's password."),
        dbname: text(
          'the name of a database, as text',
          'A database that the user may connect to, where the secret names one.',
        ).optional(),
      },
      'The secret itself. Other keys are ignored. Either this, `file` or `awsSecret`.',
    ).optional(),
    file: path(
      'A JSON file with `username` and `password`, read again every minute, and when the database refuses the password.',
    ).optional(),
    awsSecret: text(
      'the ARN or the name of a secret',
      'The ARN or the name of a secret in AWS Secrets Manager, read as `aws` says.',
      /^[\w/+=.@:!-]{1,2048}$/,
    ).optional(),
  },
  'Users of databases, as AWS Secrets Manager keeps them.',
);

const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export const databaseSchema = mapping(
  {
    identifier: name('By which `target` refers to it.'),
    engine: oneOf(
      ['postgres', 'mysql', 'mariadb', 'sqlserver'],
      'The kind of database; `sqlserver` is for Babelfish, too.',
    ),
    memberOf: name(
      'The name of a cluster that it is a member of, by which `target` can refer to all of them.',
    ).optional(),
    role: oneOf(
      ['writer', 'reader'],
      'What it is in that cluster, which has one writer. READ_ONLY endpoints lead to the readers.',
    ).default('writer'),
    host: hostName(
      'Where the database listens. Either this, `awsInstance` or `awsCluster`.',
    ).optional(),
    awsInstance: name(
      'The identifier of a DB instance at AWS, which is asked for its address as `aws` says.',
    ).optional(),
    awsCluster: name(
      'The identifier of a DB cluster at AWS, which is asked for the address of its writer as `aws` says.',
    ).optional(),
    port: whole(
      1,
      65_535,
      "Its port; the engine's own by default: 5432 for `postgres`, 3306 for `mysql` and `mariadb`, 1433 for `sqlserver`. Not with `awsInstance` and `awsCluster`.",
    ).optional(),
    tls: oneOf(tlsModes, "TLS to the database, with the words of libpq's `sslmode`.").default(
      'prefer',
    ),
    tlsFirst: flag(
      'For `sqlserver`: TLS comes before all else, as in TDS 8.0 (`Encrypt=strict`), which SQL Server 2022 has.',
    ).default(false),
    tlsCaFile: path("PEM certificates to trust for it, instead of the system's.").optional(),
    tlsCertFile: path('PEM certificate that the proxy shows to the database.').optional(),
    tlsKeyFile: path('PEM key of `tlsCertFile`.').optional(),
    tlsServerName: hostName(
      "The name that the database's certificate must have; `host` by default.",
    ).optional(),
    channelBinding: oneOf(
      ['disable', 'prefer', 'require'],
      "For `postgres`: whether logins at it are bound to its TLS certificate, with the words of libpq's `channel_binding`; `prefer` by default.",
    ).optional(),
    allowCleartextPassword: flag(
      'Send passwords in the clear if the database asks for that on a connection without TLS.',
    ).default(false),
    maxConnections: whole(
      1,
      262_143,
      'How many connections the database grants; by default the proxy asks the database.',
    ).optional(),
    database: text(
      'the name of a database, as text',
      'The database that the proxy connects to in order to watch the server: `postgres` by default, `master` for `sqlserver`, and none for `mysql` and `mariadb`.',
    ).optional(),
  },
  'Databases that proxies can have as their target.',
);

const clientPasswordAuthTypes = [
  'POSTGRES_SCRAM_SHA_256',
  'POSTGRES_MD5',
  'MYSQL_NATIVE_PASSWORD',
  'MYSQL_CACHING_SHA2_PASSWORD',
  'MARIADB_ED25519',
  'SQL_SERVER_AUTHENTICATION',
] as const;

const auth = mapping(
  {
    secret: text(
      'the name of a secret',
      'The secret with the database user and its password: a name from `secrets`, or the ARN of one that the API keeps or, with `aws`, that is in AWS Secrets Manager.',
    ),
    iamAuth: oneOf(
      ['DISABLED', 'REQUIRED', 'ENABLED'],
      'Whether clients sign in with an IAM token instead of the password; ENABLED, for SQLSERVER only, lets them choose.',
    ).default('DISABLED'),
    clientPasswordAuthType: oneOf(
      clientPasswordAuthTypes,
      "How clients prove that they know the password. By default SCRAM-SHA-256 for POSTGRESQL, and for MYSQL what the target's `engine` is used to: MYSQL_CACHING_SHA2_PASSWORD for `mysql`, MYSQL_NATIVE_PASSWORD for `mariadb`; for SQLSERVER there is only SQL_SERVER_AUTHENTICATION. MARIADB_ED25519 is Sluice's own.",
    ).optional(),
    description: text(
      'a text of 1 to 1000 characters',
      'For people.',
      /^[^\0]{1,1000}$/,
    ).optional(),
  },
  'Who can sign in: one entry for each database user.',
);

const pool = mapping(
  {
    maxConnectionsPercent: whole(
      1,
      100,
      "How much of the database's connections the proxy may use; 100 by default, for SQLSERVER 10.",
      '%',
    ).optional(),
    maxIdleConnectionsPercent: whole(
      0,
      100,
      'How many of them it may keep idle, at most `maxConnectionsPercent`; half of that by default.',
      '%',
    ).optional(),
    connectionBorrowTimeout: whole(
      0,
      300,
      'How long a client waits for a database connection.',
      's',
    ).default(120),
    sessionPinningFilters: listOf(
      oneOf(['EXCLUDE_VARIABLE_SETS'], 'What does not pin.'),
      'For MYSQL with `pinning: aws`: with EXCLUDE_VARIABLE_SETS, no `SET` of variables pins.',
    ).default([]),
    initQuery: z
      .string({ error: 'must be SQL statements, as text' })
      .regex(/^[^\0]*$/, { error: 'must not hold NUL characters' })
      .meta({
        description: 'Statements to run once on every new database connection.',
        shown: 'text',
      })
      .default(''),
  },
  'How database connections are shared.',
);

const proxyEndpoint = mapping(
  {
    name: name('The name of the endpoint.'),
    targetRole: oneOf(
      ['READ_WRITE', 'READ_ONLY'],
      "Whether it leads to the target's writer, as the proxy's own address does, or to its readers.",
    ).default('READ_WRITE'),
    listen: listenAddress('Where its clients connect. Port 0 lets the system choose.'),
    hostnames: listOf(
      hostName('A host name or IP address.'),
      'The names by which clients know the endpoint; the host of `listen` by default.',
      1,
      100,
    ).optional(),
  },
  'More addresses of the proxy, which may lead to the readers of a cluster.',
);

export const proxySchema = mapping(
  {
    name: name('The name of the proxy; its resource id in IAM policies is made from it.'),
    engineFamily: oneOf(
      ['POSTGRESQL', 'MYSQL', 'SQLSERVER'],
      'The protocol it speaks; MYSQL is for `mysql` and `mariadb`, SQLSERVER for `sqlserver`.',
    ),
    listen: listenAddress('Where clients connect. Port 0 lets the system choose.'),
    hostnames: listOf(
      hostName('A host name or IP address.'),
      'The names by which clients know the proxy, for IAM tokens and the generated certificate; the host of `listen` by default.',
      1,
      100,
    ).optional(),
    proxyProtocol: oneOf(
      ['disabled', 'optional', 'required'],
      'Whether clients come through load balancers that tell their addresses by the PROXY protocol, version 1 or 2; with `optional`, which MYSQL does not have, some do.',
    ).default('disabled'),
    proxyProtocolNetworks: listOf(
      network('An IP network or address.'),
      'The addresses of those load balancers. A PROXY header from elsewhere ends the connection.',
    ).default([]),
    requireTls: flag('Refuse clients that do not use TLS.').default(false),
    tls: mapping(
      {
        certFile: path('PEM certificate, with its chain.'),
        keyFile: path('PEM key of the certificate.'),
      },
      'What the proxy shows to clients; a generated certificate by default.',
    ).optional(),
    defaultAuthScheme: oneOf(
      ['NONE', 'IAM_AUTH'],
      'How users without an entry in `auth` sign in: not at all, or by IAM tokens all the way: their own here, and one that the proxy signs at the database. That needs `aws`.',
    ).default('NONE'),
    auth: listOf(auth, 'Who can sign in: one entry for each database user.', 0, 200),
    roleArn: text(
      'the ARN of an IAM role, such as arn:aws:iam::123456789012:role/proxy',
      'As whom the proxy reads secrets that the API keeps, and those of AWS, where it is assumed by STS.',
      /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,577}$/,
    ).optional(),
    target: text(
      'the identifier of a database, or the name of a cluster',
      'The `identifier` of the database, or the name of the cluster that databases are `memberOf`.',
    ),
    endpoints: listOf(
      proxyEndpoint,
      'More addresses of the proxy, which may lead to the readers of a cluster.',
      0,
      20,
    ).default([]),
    previousPasswordGrace: whole(
      0,
      30 * DAY_S,
      'How long clients may come with the password that a secret had before its current one, where that is still known.',
      's',
    ).default(DAY_S),
    idleClientTimeout: whole(
      1,
      28_800,
      'A client that sends nothing for this long is disconnected.',
      's',
    ).default(1800),
    debugLogging: flag(
      'Log statements (without their values) and every loan of a connection.',
    ).default(false),
    maxClientConnections: whole(1, 1_000_000, 'The most clients at a time.').default(10_000),
    clientLoginTimeout: whole(1, 3600, 'How long a client may take to sign in.', 's').default(60),
    clientSendTimeout: whole(
      1,
      DAY_S,
      'A client that does not read its result for this long is disconnected.',
      's',
    ).default(600),
    maxConnecting: whole(
      1,
      1000,
      'How many database connections are opened at the same time.',
    ).default(8),
    serverConnectTimeout: whole(
      1,
      300,
      'How long opening a database connection may take, login included.',
      's',
    ).default(15),
    serverLifetime: whole(
      1,
      7 * DAY_S,
      'The age at which a database connection is replaced, once it is idle.',
      's',
    ).default(DAY_S),
    serverIdleTimeout: whole(
      1,
      DAY_S,
      'After this long without use a database connection counts as idle for `maxIdleConnectionsPercent`.',
      's',
    ).default(300),
    serverPingInterval: whole(
      1,
      DAY_S,
      'How often an idle database connection is tested.',
      's',
    ).default(60),
    applicationNameAddHost: flag(
      "For POSTGRESQL: put each client's address behind its `application_name`, so that it shows in `pg_stat_activity` and in the database's log.",
    ).default(false),
    pinning: oneOf(
      ['minimal', 'aws'],
      'What ties a client to its database connection: only what cannot be carried to another one, or all that does in Amazon RDS Proxy.',
    ).default('minimal'),
    maxPreparedStatements: whole(
      1,
      100_000,
      'How many prepared statements are kept on one database connection; clients with equal ones share them.',
    ).default(200),
    pool: pool.prefault({}),
  },
  'Proxies. Each has an address of its own.',
);

export const settingsSchema = mapping(
  {
    region: text(
      'an AWS region, such as eu-central-1',
      'The AWS region that tokens and resource names are made for.',
      REGION,
    ),
    account: text(
      '12 digits, as text',
      'The AWS account that resource names are made for, in quotes.',
      /^\d{12}$/,
    ),
    principals: listOf(principalSchema, 'Who may sign in with IAM tokens.').default([]),
    secrets: listOf(secretSchema, 'Users of databases, as AWS Secrets Manager keeps them.').default(
      [],
    ),
    databases: listOf(databaseSchema, 'Databases that proxies can have as their target.').default(
      [],
    ),
    proxies: listOf(proxySchema, 'Proxies. Each has an address of its own.').default([]),
    admin: mapping(
      {
        listen: listenAddress(
          'Where metrics and health checks are served, and the API where `sluice serve` is given a `--data-dir`. Off by default.',
        ).optional(),
        tls: mapping(
          {
            certFile: path('PEM certificate, with its chain.'),
            keyFile: path('PEM key of the certificate.'),
          },
          'Serve it by HTTPS, with this certificate, read again at SIGHUP; plain HTTP by default.',
        ).optional(),
      },
      'The administration address.',
    ).prefault({}),
    api: mapping(
      {
        listenHost: hostName('Where proxies listen that the API makes.').default('127.0.0.1'),
        ports: portRange(
          "Their ports, where the family's own (5432, 3306, 1433) is taken.",
        ).default({
          from: 6500,
          to: 6599,
        }),
        hostname: text(
          'a host name, with `{name}` and `{id}` for those of the proxy',
          'The names by which their clients know them, for IAM tokens and the generated certificate.',
          /^(?:[\w.-]|\{name\}|\{id\}){1,200}$/,
        ).default('localhost'),
      },
      'What the API makes.',
    ).prefault({}),
    aws: awsSchema.optional(),
    log: mapping(
      {
        level: oneOf(
          ['debug', 'info', 'warn', 'error'],
          'The least important lines to write.',
        ).default('info'),
        format: oneOf(['json', 'rds'], 'JSON objects, or the lines of Amazon RDS Proxy.').default(
          'json',
        ),
      },
      'What is written to standard output.',
    ).prefault({}),
    drainTimeout: whole(
      0,
      3600,
      'How long requests and transactions may go on when Sluice is told to stop.',
      's',
    ).default(30),
    workers: whole(
      1,
      64,
      'How many processes share the ports, the connections and the work: one for each core. Takes effect at a restart.',
    ).default(1),
    ioUring: flag(
      'Whether messages to and from many peers go in one system call, by io_uring, where the system allows that. Takes effect at a restart.',
    ).default(true),
  },
  'The settings of Sluice.',
);

/** What `parsePolicy` says of it, such as `policy.Statement[0].Effect must be …`, taken apart into the place and the text. */
function policyIssue(
  policy: unknown,
): { readonly message: string; readonly path?: (string | number)[] } | undefined {
  try {
    parsePolicy(policy);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, place, text] = /^policy((?:\.\w+|\[\d+\])*) (.+)$/s.exec(message) ?? [];
    if (place === undefined || text === undefined) return { message };
    const keys = place.match(/\w+/g) ?? [];
    return { message: text, path: keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key)) };
  }
}

export type SettingsInput = z.output<typeof settingsSchema>;
export type PrincipalInput = z.output<typeof principalSchema>;
export type SecretInput = z.output<typeof secretSchema>;
export type ClientPasswordAuthType = (typeof clientPasswordAuthTypes)[number];
export type DatabaseInput = z.output<typeof databaseSchema>;
export type ProxyInput = z.output<typeof proxySchema>;
