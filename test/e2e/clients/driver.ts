import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { PinReason } from '../../../src/core/pin.ts';
import { documentedDriver } from './drivers-page.ts';
import { Stage } from './stage.ts';
import type { Environment } from './stage.ts';

/** Far fewer than each scenario has clients. */
const CONNECTIONS = 2;

/** A client in another language: a script of ours around it that checks every answer itself. */
export interface Driver {
  /** Its name in `docs/reference/drivers.md`. */
  readonly client: string;
  /**
   * Runs the script, which takes scenarios' names as its last argument, with commas between them, and finds the database by
   * libpq's environment. Each script has the scenario `version`, which signs in as the driver does by default and prints the driver's version.
   */
  readonly command: readonly string[];
  /** By name: what ties its clients to their connections, and must. */
  readonly scenarios: Readonly<Record<string, readonly PinReason[]>>;
  /** Whether the driver asks for TLS by itself. Default true. */
  readonly tls?: boolean;
}

/**
 * Runs all scenarios against the database itself, which shows that the script is right, and each through Sluice, where its
 * clients share fewer connections than they are. Holds what was pinned to what the scenario must pin, and to the page. With
 * the older server they run one after another in one process: starting one takes longer than most of them.
 */
export function describeDrivers(drivers: readonly Driver[]): void {
  for (const version of [18, 14] as const) {
    describe(`with PostgreSQL ${version}`, () => {
      let stage: Stage;
      beforeAll(async () => {
        stage = await Stage.open({ version, connections: CONNECTIONS });
      });
      afterAll(() => stage.close());

      for (const driver of drivers) {
        describe(driver.client, () => {
          const all = Object.keys(driver.scenarios).join();
          if (version === 14) {
            test(all, () => play(stage, driver, all, reasonsOf(driver)));
            return;
          }
          describeSignIn(driver, () => stage);
          test('the scenarios, at the database itself', async () => {
            await run(stage, driver, all, directly(stage));
          });
          for (const [scenario, expected] of Object.entries(driver.scenarios)) {
            const must = expected.length === 0 ? '' : `, which must pin: ${expected.join(', ')}`;
            test(`${scenario}${must}`, () => play(stage, driver, scenario, expected.toSorted()));
          }
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

function describeSignIn(driver: Driver, stage: () => Stage): void {
  const { client, tls = true } = driver;
  const page = documentedDriver(client);

  test('is on the page, with its version and its pins', async () => {
    const version = await run(stage(), driver, 'version');
    expect(`${version.trim()}.`).toStartWith(`${page.version}.`);
    expect(page.pins).toEqual(reasonsOf(driver));
  });

  const modes = [
    ['no sslmode', undefined, tls],
    ['sslmode=disable', 'disable', false],
    ['sslmode=verify-full', 'verify-full', true],
  ] as const;
  test.each(modes)('signs in with %s', async (_, sslmode, encrypted) => {
    const before = await stage().metric('sluice_query_requests_tls_total');
    const env = { PGSSLMODE: sslmode, PGSSLROOTCERT: sslmode && stage().caFile };
    await run(stage(), driver, 'version', env);
    const after = await stage().metric('sluice_query_requests_tls_total');
    expect(after > before).toBe(encrypted);
  });
}

function reasonsOf({ scenarios }: Driver): readonly string[] {
  return [...new Set(Object.values(scenarios).flat())].toSorted();
}

/** Through Sluice. */
async function play(
  stage: Stage,
  driver: Driver,
  scenarios: string,
  expected: readonly string[],
): Promise<void> {
  const before = await pins(stage);
  await run(stage, driver, scenarios);
  expect(added(before, await pins(stage))).toEqual(expected);
}

async function run(
  stage: Stage,
  { command }: Driver,
  scenarios: string,
  env: Environment = {},
): Promise<string> {
  const defaults = { PGSSLMODE: undefined, PGSSLROOTCERT: undefined };
  return await stage.succeed([...command, scenarios], { env: { ...defaults, ...env } });
}

function directly({ server }: Stage): Environment {
  return { PGHOST: server.host, PGPORT: String(server.port) };
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
