import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { CertificateKind } from '../../support/certificates.ts';
import { certificateKinds, makeCertificate } from '../../support/certificates.ts';
import { startInterceptor } from '../../support/interceptor.ts';
import { libpq18 } from '../../support/libpq18.ts';
import { backend } from '../../support/messages.ts';
import { runInNode } from '../../support/node-client.ts';
import { RawClient, ServerError } from '../../support/raw-client.ts';
import type { Login } from '../../support/raw-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import type { Finished } from './stage.ts';
import { Stage } from './stage.ts';
import { outcomeOf } from '../../support/outcome.ts';

const PSQL = ['psql', '-X', '-A', '-t', '-q', '-c', 'SELECT 7'] as const;

/** libpq as Debian has it, and that of PostgreSQL 18. */
const libraries = { "the system's libpq": () => ({}), 'libpq 18': libpq18 } as const;

/** What people have; the others differ only in their hash, which `src/auth` is tested for. */
const kinds = [
  'RSA with SHA-256',
  'RSA with SHA-1',
  'RSA-PSS with SHA-256',
  'RSA-PSS with SHA-384',
  'ECDSA P-256 with SHA-256',
  'ECDSA P-384 with SHA-384',
] as const satisfies readonly CertificateKind[];

const NODE_PG = `
  const { default: pg } = await import('pg');
  const client = new pg.Client(args);
  await client.connect();
  const { rows } = await client.query('SELECT 7 AS seven');
  await client.end();
  return rows;
`;

type Variables = Readonly<Record<string, string>>;

async function psql(stage: Stage, library: keyof typeof libraries, env: Variables) {
  return await stage.run([...PSQL], { env: { ...(await libraries[library]()), ...env } });
}

const letIn = { code: 0, stdout: '7\n', stderr: '' };
const complaintOf = ({ stderr }: Finished): string => stderr;
const bound = { PGSSLMODE: 'require', PGCHANNELBINDING: 'require' };
const isPlus = { mechanism: 'SCRAM-SHA-256-PLUS', binding: { flag: 'p=tls-server-end-point' } };

for (const kind of kinds) {
  describe(`a proxy whose certificate is ${kind}`, () => {
    let stage: Stage;
    const certificate = makeCertificate(kind);
    beforeAll(async () => {
      stage = await Stage.open({ certificate });
    });
    afterAll(() => stage.close());

    for (const library of ["the system's libpq", 'libpq 18'] as const) {
      test(`lets in ${library} with channel_binding=require (PG-100)`, async () => {
        expect(await psql(stage, library, bound)).toEqual(letIn);
        expect(await psql(stage, library, { ...bound, PGCHANNELBINDING: 'disable' })).toEqual(
          letIn,
        );
      });
    }

    test('lets in node-pg with enableChannelBinding', async () => {
      const ssl = { ca: certificate.certPem, servername: 'localhost' };
      const options = { ...stage.address, ssl, enableChannelBinding: true };
      expect(await runInNode(NODE_PG, options)).toEqual([{ seven: 7 }]);
    });

    test('lets in who binds to it, and nobody who binds to another (PG-101)', async () => {
      const { hash } = certificateKinds[kind];
      const data = createHash(hash).update(certificate.der).digest();
      for (const tls of ['startTls', 'direct'] as const) {
        const way = { host: '127.0.0.1', port: stage.port, tls };
        const login: Login = { user: 'app', password: passwordOf('app'), database: 'app' };
        const signIn = (said: Uint8Array): Promise<RawClient> =>
          RawClient.signIn({
            ...{ ...way, ...login },
            scram: { ...isPlus, binding: { ...isPlus.binding, data: said } },
          });
        await (await signIn(data)).end();
        const refused = signIn(data.map((byte) => byte ^ 1));
        expect(await outcomeOf(refused)).toThrow('FATAL 28000 SCRAM channel binding check failed');
      }
    });

    test('nothing is left behind', () => stage.expectClean());
  });
}

describe('a proxy whose certificate has no hash', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ certificate: makeCertificate('Ed25519') });
  });
  afterAll(() => stage.close());

  test.each(["the system's libpq", 'libpq 18'] as const)(
    'offers no channel binding, and all else goes on, for %s (PG-100)',
    async (library) => {
      expect(await psql(stage, library, { PGSSLMODE: 'require' })).toEqual(letIn);
      expect(complaintOf(await psql(stage, library, bound))).toContain('channel binding');
    },
  );
});

describe('a proxy like any other', () => {
  let stage: Stage;
  const certificate = makeCertificate('ECDSA P-256 with SHA-256');
  beforeAll(async () => {
    const auth = [
      { secret: 'app' },
      { secret: 'old', clientPasswordAuthType: 'POSTGRES_MD5' },
      { secret: 'reader', iamAuth: 'REQUIRED' },
    ];
    const accessKey = { accessKeyId: 'AKIA1', secretAccessKey: 'x' };
    const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' };
    const principals = [{ ...accessKey, policy: { Version: '2012-10-17', Statement: statement } }];
    stage = await Stage.open({ certificate, proxy: { auth }, rest: { principals } });
  });
  afterAll(() => stage.close());

  describe.each(["the system's libpq", 'libpq 18'] as const)('%s', (library) => {
    test('channel_binding=require without TLS fails as directly (PG-100)', async () => {
      const env = { ...bound, PGSSLMODE: 'disable' };
      const { host, port } = stage.server;
      const direct = { ...env, PGHOST: host, PGPORT: String(port) };
      const said = 'channel binding required, but SSL not in use';
      expect(complaintOf(await psql(stage, library, env))).toContain(said);
      expect(complaintOf(await psql(stage, library, direct))).toContain(said);
    });

    test('channel_binding=require with MD5 or a token fails as it must; prefer goes on', async () => {
      for (const user of ['old', 'reader']) {
        const env = { PGUSER: user, PGPASSWORD: passwordOf('old') };
        const { stderr } = await psql(stage, library, { ...bound, ...env });
        expect(stderr).toContain('channel binding required but not supported by server');
      }
      const old = { PGSSLMODE: 'require', PGUSER: 'old', PGPASSWORD: passwordOf('old') };
      expect(await psql(stage, library, old)).toEqual(letIn);
      const { stderr } = await psql(stage, library, { PGUSER: 'reader', PGSSLMODE: 'require' });
      expect(stderr).toContain('The IAM authentication failed for the role reader.');
    });
  });

  test('direct TLS, protocol 3.2 and channel binding together, for libpq 18 (PG-31, PG-27)', async () => {
    const direct = { PGSSLMODE: 'verify-full', PGSSLNEGOTIATION: 'direct' };
    const only32 = { PGMINPROTOCOLVERSION: '3.2', PGMAXPROTOCOLVERSION: '3.2' };
    expect(await psql(stage, 'libpq 18', { ...bound, ...direct, ...only32 })).toEqual(letIn);
  });

  test('says the same as PostgreSQL, message by message (PG-100, PG-101)', async () => {
    const { server } = stage;
    const hashOf = (pem = ''): Buffer => {
      const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
      return createHash('sha256').update(der).digest();
    };
    const ways = [
      { host: server.host, port: server.port, data: hashOf(server.certPem) },
      { host: '127.0.0.1', port: stage.port, data: hashOf(stage.caPem) },
    ];
    const login = { user: 'app', password: passwordOf('app'), database: 'app' };
    const plus = 'SCRAM-SHA-256-PLUS';
    for (const [mechanism, flag, twist] of [
      [plus, 'p=tls-server-end-point', 0],
      [plus, 'p=tls-server-end-point', 1],
      ['SCRAM-SHA-256', 'n', 0],
      ['SCRAM-SHA-256', 'y', 0],
    ] as const) {
      const [direct, proxied] = await Promise.all(
        ways.map(async ({ data, ...way }) => {
          const said = flag.startsWith('p') ? { data: data.map((byte) => byte ^ twist) } : {};
          const client = await RawClient.connect({ ...way, tls: 'startTls' });
          const scram = { mechanism, binding: { flag, ...said } };
          const answer = await client.signIn({ ...login, scram }).then(
            ({ messages }) => transcript(messages).filter((line) => line.startsWith('R')),
            (problem: unknown) => (problem instanceof ServerError ? told(problem) : problem),
          );
          client.destroy();
          return answer;
        }),
      );
      expect(proxied).toEqual(direct);
    }
  });
});

/** All but the server's own file and line. */
function told({ fields: { F, L, R, ...fields } }: ServerError): object {
  return fields;
}

describe('somebody between client and proxy, with a certificate of their own', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.close());
  const certificate = makeCertificate('ECDSA P-256 with SHA-256');
  /** Encrypted, but no certificate is checked: what most clients do. */
  const trusting = ({ port }: { readonly port: number }): Variables => ({
    ...{ PGPORT: String(port), PGSSLMODE: 'require', PGSSLROOTCERT: 'none.pem' },
  });

  describe.each(["the system's libpq", 'libpq 18'] as const)('for %s', (library) => {
    test('is found out by channel binding (PG-101)', async () => {
      const between = startInterceptor({
        to: { host: '127.0.0.1', port: stage.port },
        certificate,
      });
      for (const PGCHANNELBINDING of ['prefer', 'require']) {
        const env = { ...trusting(between), PGCHANNELBINDING };
        const { stderr } = await psql(stage, library, env);
        expect(stderr).toContain('SCRAM channel binding check failed');
      }
      const careless = { ...trusting(between), PGCHANNELBINDING: 'disable' };
      expect(await psql(stage, library, careless)).toEqual(letIn);
      between.stop();
    });

    test('is found out when they take the offer away (PG-101)', async () => {
      const between = startInterceptor({
        to: { host: '127.0.0.1', port: stage.port },
        certificate,
        change: (said) =>
          Buffer.from(said).includes('SCRAM-SHA-256-PLUS') ? backend.sasl('SCRAM-SHA-256') : said,
      });
      const { stderr } = await psql(stage, library, trusting(between));
      expect(stderr).toContain('SCRAM channel binding negotiation error');
      expect(stderr).toContain('The client supports SCRAM channel binding but thinks');
      between.stop();
    });
  });

  test('is told of in the log', () => {
    const reasons = stage.sluice.logs('clientRefused').map((line) => line['detail']);
    expect(new Set(reasons)).toEqual(
      new Set([
        'the client is bound to another channel',
        'channel binding was offered, and the client did not see the offer',
      ]),
    );
  });
});
