import { afterAll, afterEach, describe, expect, setSystemTime, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';
import { version } from './version.ts';

const root = join(import.meta.dirname, '../..');
const example = join(root, 'sluice.example.yaml');
const env = {
  APP_PASSWORD: 'hunter2',
  REPORTS_PASSWORD: 'hunter2',
  SLUICE_SECRET_ACCESS_KEY: 'hunter2',
};
const directory = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function call(args: readonly string[], variables: Record<string, string> = {}) {
  let out = '';
  let err = '';
  const code = await run(args, {
    out: (text) => (out += `${text}\n`),
    err: (text) => (err += `${text}\n`),
    isTty: false,
    columns: 100,
    env: variables,
  });
  return { code, out, err };
}

describe('what is not understood ends with 2 and a hint', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['serv'], 'unknown command — did you mean `serve`?\nSee sluice --help\n'],
    [['xyz'], 'unknown command\nSee sluice --help\n'],
    [['help', 'chekc'], 'unknown command — did you mean `check`?\nSee sluice --help\n'],
    [
      ['check', '--confg', 'x'],
      'unknown flag --confg — did you mean `--config`?\nSee sluice check --help\n',
    ],
    [['check', '-c', 'x'], 'unknown flag -c\nSee sluice check --help\n'],
    [['check', '--config'], '--config needs a value: --config FILE\nSee sluice check --help\n'],
    [
      ['check', '--config', '--offline'],
      '--config needs a value: --config FILE\nSee sluice check --help\n',
    ],
    [['check', '--offline=yes'], '--offline takes no value\nSee sluice check --help\n'],
    [['check', '--offline', '--offline'], '--offline is given twice\nSee sluice check --help\n'],
    [['serve', 'x.yaml'], 'a word that belongs to no flag\nSee sluice serve --help\n'],
    [['token', '--host', 'h'], '--port PORT is missing\nSee sluice token --help\n'],
    [
      ['token', '--host', 'h', '--user', 'u', '--port', '70000'],
      '--port must be a number from 1 to 65535\nSee sluice token --help\n',
    ],
  ];
  for (const [args, err] of cases)
    test(args.join(' '), async () => expect(await call(args)).toEqual({ code: 2, out: '', err }));

  test('nothing at all', async () => {
    const { code, out, err } = await call([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: sluice COMMAND [FLAGS]');
  });
});

describe('help and version', () => {
  test('of the whole, and of each command', async () => {
    const { code, out } = await call(['--help']);
    expect(code).toBe(0);
    for (const name of ['serve', 'check', 'token', 'demo', 'version', 'help'])
      expect(out).toContain(`\n  ${name} `);
    for (const name of ['serve', 'check', 'token']) {
      const long = await call([name, '--help']);
      expect(long.out).toContain(`Usage: sluice ${name} `);
      expect([await call(['help', name]), await call([name, '-h'])]).toEqual([long, long]);
      for (const line of long.out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  test('version', async () => {
    expect(await call(['version'])).toEqual({ code: 0, out: `sluice ${version}\n`, err: '' });
  });
});

describe('check', () => {
  test('explains what the settings mean, in 100 columns and without secrets', async () => {
    const { code, out, err } = await call(['check', '--offline', '--config', example], env);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`\
PROXY   ENDPOINT                       CLIENT TLS  RESOURCE ID            TARGET     CONNECTIONS
orders  localhost:6432 127.0.0.1:6432  offered     prx-qvh96h8iflnbyoct7  orders-db  90 %, idle 50 %

PROXY   USER     SECRET   SIGNS IN WITH
orders  app      app      password (SCRAM-SHA-256)
orders  reports  reports  IAM token

DATABASE   ADDRESS         TLS     WATCHED THROUGH
orders-db  127.0.0.1:5432  prefer  postgres
`);
  });

  test('says where a load balancer must send its header', async () => {
    const yaml = (await Bun.file(example).text()).replace(
      'listen: 127.0.0.1:6432',
      "listen: 127.0.0.1:6432\n    proxyProtocol: required\n    proxyProtocolNetworks: ['::1']",
    );
    const path = join(directory, 'balanced.yaml');
    writeFileSync(path, yaml);
    const { out } = await call(['check', '--offline', '--config', path], env);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('(PROXY header required)');
  });

  test('lists every problem and ends with 1', async () => {
    const { code, out, err } = await call(['check', '--config', example], {
      APP_PASSWORD: 'hunter2',
    });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n')).toEqual([
      expect.stringContaining(
        'sluice.example.yaml:15:7: secrets[1].value.password: the variable REPORTS_PASSWORD',
      ),
      expect.stringContaining(
        'sluice.example.yaml:42:5: principals[0].secretAccessKey: the variable SLUICE_SECRET',
      ),
      '',
    ]);
  });

  test('says which database could not be reached, and ends with 1', async () => {
    // Port 1 of the loopback: nobody listens there.
    const yaml = (await Bun.file(example).text()).replace('port: 5432', 'port: 1');
    writeFileSync(join(directory, 'sluice.yaml'), yaml);
    const { code, out } = await call(['check', '--config', join(directory, 'sluice.yaml')], env);
    expect(code).toBe(1);
    expect(out).toMatch(/^orders-db +app +FAILED +\S/m);
    expect(out).not.toContain('hunter2');
  });
});

describe('token', () => {
  const args = [
    'token',
    '--host',
    'prod-instance.us-east-1.rds.amazonaws.com',
    '--port',
    '3306',
    '--user',
    'someusername',
  ];
  const aws = [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_PROFILE',
    'AWS_REGION',
    'HOME',
    'AWS_EC2_METADATA_DISABLED',
  ];
  const before = aws.map((name) => [name, process.env[name]] as const);

  /** The SDK reads the process's own environment. */
  function pretend(variables: Record<string, string>): void {
    for (const name of aws) delete process.env[name];
    Object.assign(process.env, {
      HOME: directory,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...variables,
    });
  }
  afterEach(() => {
    setSystemTime();
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  test('is the one that botocore makes', async () => {
    pretend({ AWS_ACCESS_KEY_ID: 'akid', AWS_SECRET_ACCESS_KEY: 'skid' });
    setSystemTime(Date.UTC(2016, 10, 7, 17, 39, 33));
    const expected = `\
prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername\
&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request\
&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900\
&X-Amz-Signature=d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61&X-Amz-SignedHeaders=host`;
    const done = { code: 0, out: `${expected}\n`, err: '' };
    expect(await call([...args, '--region', 'us-east-1'])).toEqual(done);
    expect(await call(args, { AWS_DEFAULT_REGION: 'us-east-1' })).toEqual(done);
  });

  test('needs credentials', async () => {
    pretend({});
    const { code, out, err } = await call([...args, '--region', 'us-east-1']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toStartWith(
      'no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
    );
  });

  test('asks no metadata service', async () => {
    let asked = 0;
    const open = (): void => void (asked += 1);
    const service = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { open, data() {} } });
    const child = Bun.spawn(
      [process.execPath, join(root, 'src/main.ts'), ...args, '--region', 'us-east-1'],
      {
        env: {
          HOME: directory,
          AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${service.port}`,
        },
        stderr: 'pipe',
      },
    );
    expect(await new Response(child.stderr).text()).toStartWith('no AWS credentials');
    service.stop(true);
    expect([await child.exited, asked]).toEqual([1, 0]);
  });

  test('needs a region', async () => {
    pretend({ AWS_ACCESS_KEY_ID: 'akid', AWS_SECRET_ACCESS_KEY: 'skid' });
    expect(await call(args)).toEqual({
      code: 1,
      out: '',
      err: 'no region: give --region, or set AWS_REGION\n',
    });
  });
});

describe('bin/sluice', () => {
  const start = (program: string, ...args: string[]) => {
    const { stdout, stderr, exitCode } = Bun.spawnSync([program, ...args], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
    });
    return { out: stdout.toString(), err: stderr.toString(), code: exitCode };
  };

  test('runs through links, as npm makes them', () => {
    symlinkSync(join(root, 'bin/sluice'), join(directory, 'real'));
    symlinkSync('real', join(directory, 'sluice'));
    expect(start(join(directory, 'sluice'), 'version')).toEqual({
      out: `sluice ${version}\n`,
      err: '',
      code: 0,
    });
    expect(start(join(directory, 'sluice'), 'xyz').code).toBe(2);
  });

  test('finds the bun beside it where it is a dependency', () => {
    const modules = join(directory, 'an app/node_modules');
    for (const folder of ['.bin', 'sluice/bin', 'sluice/src'])
      mkdirSync(join(modules, folder), { recursive: true });
    copyFileSync(join(root, 'bin/sluice'), join(modules, 'sluice/bin/sluice'));
    chmodSync(join(modules, 'sluice/bin/sluice'), 0o755);
    symlinkSync(process.execPath, join(modules, '.bin/bun'));
    symlinkSync('../sluice/bin/sluice', join(modules, '.bin/sluice'));
    writeFileSync(
      join(modules, 'sluice/src/main.ts'),
      'console.log(JSON.stringify(process.argv.slice(2)))',
    );
    expect(start(join(modules, '.bin/sluice'), 'a b', '*').out).toBe('["a b","*"]\n');
  });
});
