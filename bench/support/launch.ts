import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './port.ts';
import { Program } from './program.ts';
import type { Line } from './line.ts';
import type { RunningPooler, Surroundings } from './pooler.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const LOG = 'log';

/** Where a pooler is to listen. */
export interface Listen {
  readonly host: string;
  readonly port: number;
  /** Where there is another one for TLS. */
  readonly tlsPort: number;
}

/** A pooler's own way to be started. */
export interface Launch {
  readonly key: string;
  /** Beside those that are written below. */
  files(listen: Listen): Readonly<Record<string, string>>;
  /** Clients that want TLS have a port of their own. By default there is one for all. */
  readonly tlsApart?: boolean;
  /** What runs it, given its folder. */
  command(directory: string): readonly string[];
  /** All that it sees of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The account that it will run under, where it is not ours. */
  readonly account?: { readonly uid: number; readonly gid: number };
}

/** The certificate's files, which every pooler finds in its folder. */
export const CERTIFICATE = { certFile: 'pooler.crt', keyFile: 'pooler.key' } as const;

/** Runs the command in a folder of its own, and waits until a client has signed in through it. */
export async function launch(
  { key, files, command, env, account, tlsApart = false }: Launch,
  { database, certificate, tlsVersion, signIn, signal }: Surroundings<Line>,
): Promise<RunningPooler> {
  const directory = await mkdtemp(join(tmpdir(), `sluice-bench-${key}-`));
  const [port, tlsPort] = [freePort(), freePort()];
  const everything = {
    ...files({ host: HOST, port, tlsPort }),
    [CERTIFICATE.certFile]: certificate.certPem,
    [CERTIFICATE.keyFile]: certificate.keyPem,
    [LOG]: '',
  };
  for (const [name, content] of Object.entries(everything)) {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    if (account !== undefined) await chown(path, account.uid, account.gid);
  }
  await chmod(directory, 0o700);
  if (account !== undefined) await chown(directory, account.uid, account.gid);
  const logPath = join(directory, LOG);
  const program = new Program({ name: key, command: command(directory), directory, logPath, env });
  const pooler = {
    key,
    pid: program.pid,
    line: (tls: boolean) => ({
      ...{ host: HOST, port: tls && tlsApart ? tlsPort : port, tls },
      ...{ user: database.user, database: database.database, password: database.password },
    }),
    expectAlive: () => program.expectAlive(),
    [Symbol.asyncDispose]: () => program.stop(),
  };
  try {
    await untilReady(pooler, { signIn, tlsVersion, signal });
    return pooler;
  } catch (problem) {
    await program.stop();
    throw problem;
  }
}

async function untilReady(
  pooler: RunningPooler,
  { signIn, tlsVersion, signal }: Pick<Surroundings<Line>, 'signIn' | 'tlsVersion' | 'signal'>,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      for (const tls of tlsVersion === undefined ? [false] : [false, true]) {
        const visitor = await signIn(pooler.line(tls));
        visitor.destroy();
        if (tls && visitor.tlsVersion !== tlsVersion)
          throw new Error(`${pooler.key} agreed on ${visitor.tlsVersion}`);
      }
      return;
    } catch (problem) {
      pooler.expectAlive();
      if (performance.now() > deadline) throw problem;
    }
    await pause(POLL_MS, undefined, { signal });
  }
}
