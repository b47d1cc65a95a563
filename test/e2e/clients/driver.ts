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
   * Runs the script, which takes a scenario's name as its last argument and finds the database by libpq's environment.
   * Each script has the scenario `version`, which signs in as the driver does by default and prints the driver's version.
   */
  readonly command: readonly string[];
  /** By name: what ties its clients to their connections, and must. */
  readonly scenarios: Readonly<Record<string, readonly PinReason[]>>;
  /** Whether the driver asks for TLS by itself. Default true. */
  readonly tls?: boolean;
}

/**
 * Runs each scenario against the database itself, which shows that the script is right, and through Sluice, where its
 * clients share fewer connections than they are. Holds what was pinned to what the scenario must pin, and to the page.
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
          if (version === 18) describeSignIn(driver, () => stage);
          for (const [scenario, expected] of Object.entries(driver.scenarios)) {
            const must = expected.length === 0 ? '' : `, which must pin: ${expected.join(', ')}`;
            test(`${scenario}${must}`, async () => {
              if (version === 18) await run(stage, driver, scenario, directly(stage));
              const before = await pins(stage);
              await run(stage, driver, scenario);
              expect(added(before, await pins(stage))).toEqual(expected.toSorted());
            });
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
  const { client, scenarios, tls = true } = driver;
  const page = documentedDriver(client);

  test('is on the page, with its version and its pins', async () => {
    const version = await run(stage(), driver, 'version');
    expect(`${version.trim()}.`).toStartWith(`${page.version}.`);
    expect(page.pins).toEqual([...new Set(Object.values(scenarios).flat())].toSorted());
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

async function run(
  stage: Stage,
  { command }: Driver,
  scenario: string,
  env: Environment = {},
): Promise<string> {
  const defaults = { PGSSLMODE: undefined, PGSSLROOTCERT: undefined };
  return await stage.succeed([...command, scenario], { env: { ...defaults, ...env } });
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
