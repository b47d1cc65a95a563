import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { PinReason } from '../../../src/core/pin.ts';
import { documentedDriver } from './drivers-page.ts';
import type { Family } from './drivers-page.ts';
import type { Script } from './script.ts';
import { Stage } from './stage.ts';
import type { Environment } from './stage.ts';

/** Far fewer than each scenario has clients. */
export const CONNECTIONS = 2;

/** A client in another language: a script of ours around it that checks every answer itself. */
export interface Driver {
  /** Its name in `docs/reference/drivers.md`. */
  readonly client: string;
  /**
   * Runs the script, which takes scenarios' names by standard input, a line each, prints each name when it has played the
   * scenario, and finds the database by the stage's environment. Each script has the scenario `version`, which signs in as the
   * driver does by default and prints the driver's version.
   */
  readonly command: readonly string[];
  /** By name: what ties its clients to their connections, and must. */
  readonly scenarios: Readonly<Record<string, readonly PinReason[]>>;
  /** Whether the driver asks for TLS by itself. Default true. */
  readonly tls?: boolean;
}

/** What a driver is told to do about TLS: nothing, to do without, or to insist on it and on the certificate. */
type TlsMode = undefined | 'disable' | 'verify-full';

/** Database servers that speak the same protocol, and how their clients are told what to do. */
export interface Databases {
  readonly family: Family;
  /** The first one is the one that scenarios are played on one by one. */
  readonly servers: readonly {
    readonly title: string;
    readonly open: () => Promise<Stage>;
  }[];
  readonly tls: (mode: TlsMode, stage: Stage) => Environment;
  readonly directly: (stage: Stage) => Environment;
}

const postgres: Databases = {
  family: 'PostgreSQL',
  servers: ([18, 14] as const).map((version) => ({
    title: `PostgreSQL ${version}`,
    open: () => Stage.open({ version, connections: CONNECTIONS }),
  })),
  tls: (mode, { caFile }) => ({ PGSSLMODE: mode, PGSSLROOTCERT: mode && caFile }),
  directly: ({ server }) => ({ PGHOST: server.host, PGPORT: String(server.port) }),
};

/** As `describeDriversOf`, for those of PostgreSQL. */
export function describeDrivers(drivers: readonly Driver[]): void {
  describeDriversOf(postgres, drivers);
}

/**
 * Runs all scenarios against the database itself, which shows that the script is right, and each through Sluice, where its
 * clients share fewer connections than they are. Holds what was pinned to what the scenario must pin, and to the page. With
 * the other servers all of them are one test.
 */
export function describeDriversOf(databases: Databases, drivers: readonly Driver[]): void {
  for (const [at, { title, open }] of databases.servers.entries()) {
    describe(`with ${title}`, () => {
      let stage: Stage;
      beforeAll(async () => {
        stage = await open();
      });
      afterAll(() => stage.close());

      for (const driver of drivers) {
        const player = new Player(databases, driver, () => stage);
        describe(driver.client, () => {
          if (at === 0) describeInFull(player);
          else test(player.all.join(), () => player.playAll());
        });
      }

      test('nothing is left behind', async () => {
        await stage.expectClean();
        expect(
          stage.discards('violation', 'bytesWhileIdle', 'resetFailed', 'databaseClosed'),
        ).toEqual([]);
      });
    });
  }
}

function describeInFull(player: Player): void {
  const { databases, driver } = player;
  const { client, scenarios, tls = true } = driver;
  const page = documentedDriver(databases.family, client);

  test('its pins are on the page', () => expect(page.pins).toEqual(player.reasons));

  const modes = [
    ['nothing said of TLS', undefined, tls],
    ['TLS disabled', 'disable', false],
    ['a verified certificate', 'verify-full', true],
  ] as const;
  test.each(modes)('signs in with %s, in the version on the page', async (_, mode, encrypted) => {
    const [version = ''] = await player.signIn(mode, encrypted);
    expect(`${version}.`).toStartWith(`${page.version}.`);
  });

  test('the scenarios, at the database itself', () => player.rehearse());
  for (const [scenario, expected] of Object.entries(scenarios)) {
    const must = expected.length === 0 ? '' : `, which must pin: ${expected.join(', ')}`;
    test(`${scenario}${must}`, () => player.play(scenario, expected.toSorted()));
  }
  test('its script ends well', () => player.end());
}

/** Runs one driver's scenarios. */
class Player {
  readonly databases: Databases;
  readonly driver: Driver;
  /** The names of all scenarios. */
  readonly all: readonly string[];
  /** All that they must pin. */
  readonly reasons: readonly string[];
  readonly #stage: () => Stage;
  #script: Script | undefined;

  constructor(databases: Databases, driver: Driver, stage: () => Stage) {
    this.databases = databases;
    this.driver = driver;
    this.all = Object.keys(driver.scenarios);
    this.reasons = [...new Set(Object.values(driver.scenarios).flat())].toSorted();
    this.#stage = stage;
  }

  /** One scenario through Sluice. */
  async play(scenario: string, expected: readonly string[]): Promise<void> {
    await this.#pinning(expected, () => this.#running.play(scenario));
  }

  async end(): Promise<void> {
    if (this.#script?.ended === false) await this.#script.end();
  }

  /** All scenarios through Sluice. */
  async playAll(): Promise<void> {
    await this.#pinning(this.reasons, () => this.#run(this.all));
  }

  /** All scenarios at the database itself. */
  async rehearse(): Promise<void> {
    await this.#run(this.all, this.databases.directly(this.#stage()));
  }

  /** What the script says of the driver's version. */
  async signIn(mode: TlsMode, encrypted: boolean): Promise<readonly string[]> {
    const stage = this.#stage();
    const before = await stage.metric('sluice_query_requests_tls_total');
    const said =
      mode === undefined
        ? await this.#running.play('version')
        : await this.#run(['version'], this.databases.tls(mode, stage));
    const after = await stage.metric('sluice_query_requests_tls_total');
    expect(after > before).toBe(encrypted);
    return said;
  }

  /** The script that has played scenarios through Sluice before, unless it has ended over one of them. */
  get #running(): Script {
    if (this.#script === undefined || this.#script.ended) this.#script = this.#start();
    return this.#script;
  }

  /** Holds what is pinned meanwhile to what must be. */
  async #pinning(expected: readonly string[], work: () => Promise<unknown>): Promise<void> {
    const before = await pins(this.#stage());
    await work();
    expect(added(before, await pins(this.#stage()))).toEqual(expected);
  }

  async #run(scenarios: readonly string[], env?: Environment): Promise<readonly string[]> {
    const script = this.#start(env);
    const said: string[] = [];
    for (const scenario of scenarios) said.push(...(await script.play(scenario)));
    await script.end();
    return said;
  }

  #start(env: Environment = {}): Script {
    const stage = this.#stage();
    const defaults = this.databases.tls(undefined, stage);
    return stage.start(this.driver.command, { ...defaults, ...env });
  }
}

/** How often sessions were pinned, by reason. */
async function pins({ sluice }: Stage): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const [key, count] of await sluice.metrics()) {
    const reason = /^sluice_pins_total\{.*reason="(\w+)"/.exec(key)?.[1];
    if (reason !== undefined) found.set(reason, count);
  }
  return found;
}

function added(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly string[] {
  const reasons = [...after].filter(([reason, count]) => count > (before.get(reason) ?? 0));
  return reasons.map(([reason]) => reason).toSorted();
}
