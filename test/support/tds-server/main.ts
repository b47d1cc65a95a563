// `bun test/support/tds-server/main.ts --port 14330 --user app:Secret-1 --database shop`: the test server as a program.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startTdsServer } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    user: { type: 'string', multiple: true, default: ['sa:Secret-1'] },
    database: { type: 'string', multiple: true, default: [] },
    encrypt: { type: 'string', default: 'off' },
    manner: { type: 'string', default: 'sqlserver' },
    key: { type: 'string' },
    cert: { type: 'string' },
    'max-connections': { type: 'string' },
    'latency-ms': { type: 'string', default: '0' },
  },
});

const encrypts = ['off', 'required', 'none', 'strict'] as const;
const encrypt = encrypts.find((one) => one === values.encrypt);
if (encrypt === undefined) throw new Error(`--encrypt is one of ${encrypts.join(', ')}`);
const { key, cert, 'max-connections': most } = values;

const server = await startTdsServer({
  port: Number(values.port),
  host: values.host,
  users: Object.fromEntries(
    values.user.map((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1)]),
  ),
  databases: values.database,
  encrypt,
  manner: values.manner === 'babelfish' ? 'babelfish' : 'sqlserver',
  latencyMs: Number(values['latency-ms']),
  isRecording: false,
  ...(most === undefined ? {} : { maxConnections: Number(most) }),
  ...(key === undefined || cert === undefined
    ? {}
    : { certificate: { keyPem: readFileSync(key, 'utf8'), certPem: readFileSync(cert, 'utf8') } }),
});
console.log(`listening on ${values.host}:${server.port}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void server.stop().then(() => process.exit(0)));
