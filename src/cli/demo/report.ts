import { fileURLToPath } from 'node:url';
import { table } from '../table.ts';
import type { Figures } from './figures.ts';
import { mostFrequent } from './figures.ts';
import type { Client } from './client.ts';
import { quoted } from './client.ts';
import type { DemoDatabase, ProxyAddress, RouteName } from './database.ts';
import { routes } from './database.ts';
import { routeTitles } from './progress.ts';
import { HOSTNAME, REGION } from './proxy.ts';

/** What one route came to. */
export interface Result {
  readonly figures: Figures;
  /** What the invocations that failed were told. */
  readonly errors: readonly string[];
}

export type Results = Readonly<Record<RouteName, Result>>;

/** The results side by side. */
export function comparison(results: Results, columns: number): string {
  const row = (title: string, show: (result: Result) => string): readonly string[] => [
    title,
    ...routes.map((route) => show(results[route])),
  ];
  const rows = [
    ['', ...routes.map((route) => routeTitles[route])],
    row('invocations', ({ figures }) => String(figures.invocations)),
    row('failed', ({ figures }) => String(figures.failed)),
    row('most frequent error', ({ errors }) => commonError(errors) ?? '–'),
    row('median (p50)', ({ figures }) => time(figures.p50Ms)),
    row('p95', ({ figures }) => time(figures.p95Ms)),
    row('p99', ({ figures }) => time(figures.p99Ms)),
    row('peak database connections', ({ figures }) =>
      String(figures.peakDatabaseConnections ?? '–'),
    ),
  ];
  return table(rows, columns);
}

function time(ms: number | null): string {
  return ms === null ? '–' : `${Math.round(ms)} ms`;
}

function commonError(errors: readonly string[]): string | undefined {
  const common = mostFrequent(errors);
  return common && `${common.count} × ${common.text}`;
}

/** What was seen, in one sentence. */
export function conclusion({ direct, proxied }: Results): string {
  const [before, after] = [direct.figures, proxied.figures];
  const [many, few] = [before.peakDatabaseConnections, after.peakDatabaseConnections];
  const counted =
    many === null || few === null
      ? '. How many connections the database had it does not tell this user.'
      : `, which needed ${few} database connections instead of ${many}.`;
  return (
    `Of ${before.invocations} invocations, ${howMany(before.failed)} failed ${routeTitles.direct} ` +
    `and ${howMany(after.failed)} ${routeTitles.proxied}${counted}`
  );
}

function howMany(count: number): string {
  return count === 0 ? 'none' : String(count);
}

const program = fileURLToPath(new URL('../../../bin/sluice', import.meta.url));

/** Commands to paste into another terminal, one for each way to sign in. */
export function connectionCommands(
  client: Client,
  { port, certPath, accessKey }: Pick<ProxyAddress, 'port' | 'certPath' | 'accessKey'>,
  { name: database, accounts }: Pick<DemoDatabase, 'name' | 'accounts'>,
): string {
  const { accessKeyId, secretAccessKey } = accessKey;
  // Empty, since what is set in that terminal would be used instead of the keys, or with them.
  const keys =
    'AWS_PROFILE= AWS_SESSION_TOKEN= ' +
    `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey.reveal()}`;
  const { byPassword, byToken } = accounts;
  const token = `token --region ${REGION} --host ${HOSTNAME} --port ${port} --user ${quoted(byToken.user)}`;
  const password = byPassword.password.reveal();
  const place = { port, certPath, database };
  const by = `${keys} \\\n  ${quoted(program)} ${token}`;
  return `The proxy goes on until Ctrl-C. In another terminal, with a password:

${client({ ...place, user: byPassword.user, password })}

With an IAM token:

${client({ ...place, user: byToken.user, password: { by } })}`;
}
