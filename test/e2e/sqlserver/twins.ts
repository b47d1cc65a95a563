import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { PinReason } from '../../../src/core/pin.ts';
import type { Abilities, GivenServer } from '../../support/sqlserver.ts';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import type { Arrival } from './visitor.ts';
import { Visitor } from './visitor.ts';

/** What a client does. It says the same each time, but for `visitor.name`. */
export type Script = (visitor: Visitor) => Promise<void>;

export interface Scene {
  readonly script: Script;
  readonly options?: Arrival['options'];
  /** What ties its clients to their connections, and must. */
  readonly pins?: readonly PinReason[];
  /** Whether some servers refuse what pins. */
  readonly mayPin?: boolean;
  /** A server that cannot do this. */
  readonly unless?: Abilities['product'];
  /** Which lines may differ, and what takes their place. Each stands beside its reason. */
  readonly masks?: readonly (readonly [pattern: RegExp, instead: string])[];
}

const CLIENTS = 3;

/** What an earlier run may have left behind has other names. */
const RUN = process.pid.toString(36);
let performances = 0;

/** Plays a scene, and keeps all that the client hears. */
export async function perform(
  { script, options = {}, masks = [] }: Scene,
  server: GivenServer,
): Promise<readonly string[]> {
  performances += 1;
  const visitor = await Visitor.arrive({ server, options, mark: `${RUN}_${performances}_` });
  await script(visitor);
  await visitor.end();
  const allMasks = [MADE_UP, ...masks];
  return withPlainLogin(visitor.lines).map((line) =>
    allMasks.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line),
  );
}

/** Constraints that nobody has named get a name with a number that is never the same. */
const MADE_UP = [/\bPK__[\w~]+/g, 'PK__'] as const;

/**
 * The order of what is told at login has no meaning. That the packet size stays as it was not all servers say, and nobody goes by
 * the kind of statement that a login is.
 */
function withPlainLogin(lines: readonly string[]): readonly string[] {
  const behind = lines.findIndex((line) => line === 'let in' || line.startsWith('refused'));
  const login = lines
    .slice(0, behind)
    .filter((line) => !SAME_SIZE.test(line))
    .map((line) => line.replace(LOGIN_DONE, ''));
  return [...login.toSorted(), ...lines.slice(behind)];
}

const SAME_SIZE = /PACKET_SIZE.*"newValue":(\d+),"oldValue":\1\b/;
const LOGIN_DONE = /(?<=^DONE .*)"curCmd":\d+/;

/**
 * Plays each scene at the server itself, and then by several clients at once through Sluice, who share two connections; and in
 * the end all scenes at once. Whatever a client hears must be the same. Nothing may pin but what the scene names.
 */
export function describeTwins(
  scenes: Readonly<Record<string, Scene>>,
  { isTogether = true }: { readonly isTogether?: boolean } = {},
): void {
  let here: SqlServerStage;
  const heard = new Map<string, readonly string[]>();
  beforeAll(async () => {
    here = await openSqlServerStage();
  });
  afterAll(() => here.stage.close());

  for (const [title, scene] of Object.entries(scenes)) {
    const { pins: expected = [], mayPin = false } = scene;
    const must = expected.length === 0 ? '' : `, which must pin: ${expected.join(', ')}`;
    test(`${title}${must}`, async () => {
      if (here.server.abilities.product === scene.unless) return;
      const before = await pinsOf(here);
      const direct = await perform(scene, here.server);
      heard.set(title, direct);
      const proxied = await Promise.all(
        Array.from({ length: CLIENTS }, () => perform(scene, here.proxied)),
      );
      for (const lines of proxied) expect(differences(direct, lines)).toEqual([]);
      const pins = addedPins(before, await pinsOf(here));
      if (!mayPin || pins.length > 0) expect(pins).toEqual(expected.toSorted());
    });
  }

  const together = async (): Promise<void> => {
    const everything = Object.entries(scenes).map(async ([title, scene]) => {
      const direct = heard.get(title);
      // Who speaks another version shares no connections with the others: that is not what this is about.
      if (direct === undefined || scene.options?.tdsVersion !== undefined) return [];
      const found = differences(direct, await perform(scene, here.proxied));
      return found.map((line) => `${title}: ${line}`);
    });
    expect((await Promise.all(everything)).flat()).toEqual([]);
  };
  if (isTogether) test('all of this at once', together);

  test('nothing is left behind', async () => {
    await expectNothingLeft(here);
  });
}

/** Nobody is there, nothing is lent, and neither side has broken the protocol. */
export async function expectNothingLeft({ stage, server }: SqlServerStage): Promise<void> {
  await stage.expectClean();
  expect(stage.discards('violation', 'bytesWhileIdle', 'resetFailed')).toEqual([]);
  expect(server.own?.offences ?? []).toEqual([]);
  expect(server.own?.failures ?? []).toEqual([]);
}

/** How often sessions were pinned, by reason. */
export async function pinsOf({ stage }: SqlServerStage): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const [key, count] of await stage.sluice.metrics()) {
    const reason = /^sluice_pins_total\{.*reason="(\w+)"/.exec(key)?.[1];
    if (reason !== undefined) found.set(reason, count);
  }
  return found;
}

export function addedPins(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly string[] {
  const reasons = [...after].filter(([reason, count]) => count > (before.get(reason) ?? 0));
  return reasons.map(([reason]) => reason).toSorted();
}

/** The lines that differ, for people. */
export function differences(
  direct: readonly string[],
  proxied: readonly string[],
): readonly string[] {
  const longer = direct.length >= proxied.length ? direct : proxied;
  let said = '';
  const found: string[] = [];
  for (const at of longer.keys()) {
    const [expected, actual] = [direct[at], proxied[at]];
    if (expected?.startsWith('> ')) said = expected;
    if (expected === actual) continue;
    found.push(`${at} after ${said}`, `directly   ${expected}`, `through it ${actual}`);
  }
  return found.slice(0, 30);
}
