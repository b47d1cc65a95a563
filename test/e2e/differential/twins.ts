import { expect } from 'bun:test';
import { passwordOf } from '../../support/sluice.ts';
import { differences } from '../../support/differential.ts';
import type { Exchange, Masks } from '../../support/differential.ts';
import { RawClient, ServerError } from '../../support/raw-client.ts';
import type { ConnectOptions, Login } from '../../support/raw-client.ts';
import { transcript } from '../../support/transcript.ts';
import { Stage } from '../clients/stage.ts';

export type Way = ConnectOptions & Login;

/** The only differences that a script may show. Each stands in docs/differences.md with its reason. */
export const explained: readonly RegExp[] = [
  // The twins' names: a matter of this test, not of Sluice.
  /\btwin_(?:direct|proxied)\b/,
];

/** Two databases alike in every way, of which one is reached directly and the other through a pool of one connection. */
export class Twins {
  readonly stage: Stage;
  readonly direct: Way;
  readonly proxied: Way;

  private constructor(stage: Stage, direct: Way, proxied: Way) {
    this.stage = stage;
    this.direct = direct;
    this.proxied = proxied;
  }

  static async open(version: 18 | 14): Promise<Twins> {
    const stage = await Stage.open({ version, connections: 1 });
    for (const name of ['twin_direct', 'twin_proxied']) {
      await stage.server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await stage.server.query(`CREATE DATABASE ${name} OWNER app`);
    }
    const { host, port } = stage.server;
    const login = { user: 'app', password: passwordOf('app'), deadlineMs: 8_000 };
    const direct = { ...login, host, port, database: 'twin_direct' };
    const proxied = { ...login, host: '127.0.0.1', port: stage.port, database: 'twin_proxied' };
    return new Twins(stage, direct, proxied);
  }

  /** Nothing that a client can see differs, and nothing stays behind for the next one. */
  async expectSame(
    script: readonly Exchange[],
    more: Partial<Way> = {},
    { masks = [] }: Masks = {},
  ): Promise<void> {
    const ways = [
      { ...this.direct, ...more },
      { ...this.proxied, ...more },
    ] as const;
    expect(await differences(script, ...ways, { masks: [...explained, ...masks] })).toEqual([]);
    await this.expectPristine(more);
  }

  /** For talk that goes by what comes back: both ways must give the same lines. */
  async expectSameTalk(talk: (client: RawClient) => Promise<void>): Promise<void> {
    const [direct, proxied] = await Promise.all(
      [this.direct, this.proxied].map(async (way) => {
        const client = await Recorder.signIn(way);
        await talk(client.raw);
        await client.raw.end();
        return transcript(client.heard);
      }),
    );
    expect(proxied).toEqual(direct ?? []);
    expect(direct?.length).toBeGreaterThan(0);
    await this.expectPristine();
  }

  /** What the server says to a login that it refuses. */
  async refusals(more: Partial<Way>): Promise<readonly unknown[]> {
    return await Promise.all(
      [this.direct, this.proxied].map((way) => refusal({ ...way, ...more })),
    );
  }

  /** Another client on the one connection sees what a client of a fresh one sees (PG-58, PG-64, PG-65, PG-67). */
  async expectPristine(more: Partial<Way> = {}): Promise<void> {
    const fresh = await stateOf({ ...this.direct, ...more });
    expect(await stateOf({ ...this.proxied, ...more })).toBe(fresh);
  }

  async close(): Promise<void> {
    await this.stage.close();
  }
}

/** Keeps all that a client reads, in order. */
class Recorder {
  readonly raw: RawClient;
  readonly heard: Awaited<ReturnType<RawClient['read']>>[] = [];

  private constructor(raw: RawClient) {
    this.raw = raw;
    const read = raw.read.bind(raw);
    raw.read = async () => {
      const message = await read();
      this.heard.push(message);
      return message;
    };
  }

  static async signIn(way: Way): Promise<Recorder> {
    return new Recorder(await RawClient.signIn(way));
  }
}

/** All but the server's own file and line. */
async function refusal(way: Way): Promise<unknown> {
  try {
    const client = await RawClient.signIn(way);
    await client.end();
    return 'let in';
  } catch (problem) {
    if (!(problem instanceof ServerError)) throw problem;
    const { F, L, R, ...fields } = problem.fields;
    return fields;
  }
}

/** Everything that a session can leave on a connection and that the database tells about. */
export async function stateOf(way: Way): Promise<string> {
  const client = await RawClient.signIn(way);
  try {
    const sequence = await client.query('SELECT lastval()');
    const state = await client.value(STATE);
    await client.end();
    return [state, ...transcript(sequence)].join('\n');
  } finally {
    client.destroy();
  }
}

/**
 * What start-up parameters have set has the source `session` through Sluice (docs/differences.md).
 * Settings with a dot are left out of `values`: those of a procedural language are there once it has been used, and
 * PostgreSQL itself leaves an empty text of one that was made up (docs/differences.md). Those of the transaction begin anew with
 * each; PostgreSQL never forgets that they were set once.
 */
const STATE = `SELECT jsonb_pretty(jsonb_build_object(
  'settings', (SELECT jsonb_object_agg(name, setting || ' by ' || replace(source, 'client', 'session')) FROM pg_settings
    WHERE source NOT IN ('default', 'configuration file', 'override', 'environment variable')
      AND name NOT LIKE 'transaction\\_%'),
  'values', (SELECT md5(string_agg(name || '=' || setting, ',' ORDER BY name)) FROM pg_settings
    WHERE context IN ('user', 'superuser') AND name NOT LIKE '%.%'),
  'statements', (SELECT jsonb_agg(name) FROM pg_prepared_statements),
  'listening', (SELECT jsonb_agg(channel) FROM pg_listening_channels() AS channel),
  'cursors', (SELECT jsonb_agg(name) FROM pg_cursors),
  'locks', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database =
    (SELECT oid FROM pg_database WHERE datname = current_database())),
  'temporary', (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
  'user', current_user, 'login', session_user, 'role', current_setting('role'),
  'own', coalesce(current_setting('my.setting', true), ''), 'schema', current_schema))`;
