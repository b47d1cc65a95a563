import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { Log } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { WHOLE } from '../../src/core/budget.ts';
import { generateCertificate } from '../../src/net/certificate.ts';
import type { Surroundings } from '../../src/server/running-proxy.ts';
import { SALT_KEY_BYTES } from '../../src/server/running-proxy.ts';
import { loadSettings } from '../../src/server/settings/load.ts';
import type { Settings } from '../../src/server/settings/settings.ts';
import { GeneratedCertificates } from '../../src/server/tls-material.ts';
import { backend } from './messages.ts';
import { startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';
import { settingsFor } from './sluice.ts';
import type { LogLine, SettingsParts } from './sluice.ts';
import type { TestSocket } from './test-socket.ts';

const DEADLINE_MS = 10_000;

/** A folder with a settings file and whatever it refers to. */
export class SettingsFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'sluice-in-process-'));

  write(name: string, content: string): void {
    writeFileSync(join(this.path, name), content);
  }

  /** What the program would read from a file like this. */
  settings(
    database: { readonly host: string; readonly port: number },
    parts: SettingsParts = {},
  ): Settings {
    this.write('sluice.yaml', stringify(settingsFor(database, parts)));
    return loadSettings(join(this.path, 'sluice.yaml'), {});
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A log that a test reads. */
export class LogBook {
  readonly lines: LogLine[] = [];
  readonly log = new Log({ level: 'info', format: 'json', clock: systemClock }, (line) => {
    this.lines.push(JSON.parse(line) as LogLine);
    this.#heard();
  });
  #heard: () => void = () => {};

  messages(event: string): readonly string[] {
    return this.lines.filter((line) => line.event === event).map((line) => String(line['message']));
  }

  /** The first line, past or future, of this event that the predicate likes; one reader at a time. */
  async waitFor(event: string, wants: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const find = (): LogLine | undefined =>
      this.lines.find((line) => line.event === event && wants(line));
    return await new Promise((resolve, reject) => {
      const last = (): string =>
        this.lines
          .slice(-10)
          .map((line) => JSON.stringify(line))
          .join('\n');
      const timer = setTimeout(
        () => reject(new Error(`no ${event}; the last:\n${last()}`)),
        DEADLINE_MS,
      );
      this.#heard = () => {
        const line = find();
        if (line === undefined) return;
        clearTimeout(timer);
        this.#heard = () => {};
        resolve(line);
      };
      this.#heard();
    });
  }
}

export function surroundings(log: Log, clock: Clock = systemClock): Surroundings {
  return {
    log,
    clock,
    random: systemRandom,
    certificates: new GeneratedCertificates(),
    share: WHOLE,
    saltKey: systemRandom.bytes(SALT_KEY_BYTES),
  };
}

export interface ObligingDatabase extends ScriptedServer {
  /** Resolves when this many have been let in. */
  visited(count: number): Promise<void>;
  /** What each connection in turn is: its user, and whether it is encrypted. */
  readonly visitors: readonly {
    readonly user: string;
    readonly tls: boolean;
    readonly open: boolean;
  }[];
}

const certificate = generateCertificate(['localhost', '127.0.0.1']);

/**
 * A database that lets everybody in, by TLS where asked for, grants twenty connections, and answers every query with one
 * row.
 */
export function startObligingDatabase(): ObligingDatabase {
  const visitors: { user: string; tls: boolean; open: boolean }[] = [];
  let arrived = Promise.withResolvers<void>();
  const server = startScriptedServer(async (peer) => {
    const visitor = await receive(peer);
    visitors.push(visitor);
    arrived.resolve();
    arrived = Promise.withResolvers<void>();
    try {
      await serve(peer);
    } finally {
      visitor.open = false;
    }
  });
  return Object.assign(server, {
    visitors,
    async visited(count: number) {
      while (visitors.length < count) await arrived.promise;
    },
  });
}

async function receive(peer: TestSocket): Promise<{ user: string; tls: boolean; open: boolean }> {
  let startup = Buffer.from(await peer.readUntyped());
  const tls = startup.readInt32BE(0) === 80877103;
  if (tls) {
    peer.send(Buffer.from('S'));
    await peer.startTls({ key: certificate.keyPem, cert: certificate.certPem }, 'server');
    startup = Buffer.from(await peer.readUntyped());
  }
  const words = startup.toString('utf8', 4).split('\0');
  peer.send(
    backend.authenticationOk(),
    backend.parameterStatus('server_version', '18.0'),
    backend.parameterStatus('client_encoding', 'UTF8'),
    backend.parameterStatus('standard_conforming_strings', 'on'),
    backend.keyData(1, Uint8Array.of(1, 2, 3, 4)),
    backend.ready(),
  );
  return { user: words[words.indexOf('user') + 1] ?? '', tls, open: true };
}

/** Until the client says goodbye. Knows BEGIN and COMMIT. */
async function serve(peer: TestSocket): Promise<void> {
  let status: 'I' | 'T' = 'I';
  for (;;) {
    const { type, body } = await peer.readMessage();
    if (type === 'X') return;
    const sql = Buffer.from(body).toString();
    if (sql.startsWith('BEGIN')) status = 'T';
    if (sql.startsWith('COMMIT')) status = 'I';
    peer.send(
      backend.rowDescription('connections', 'version'),
      backend.dataRow('20', '18.0'),
      backend.complete('SELECT 1'),
      backend.ready(status),
    );
  }
}
