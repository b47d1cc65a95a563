import { describe, expect, test } from 'bun:test';
import type { Script } from './events.ts';
import type { Scenario } from './explore.ts';
import { explore } from './explore.ts';

/** Different states met in each scenario: the run's length in proportion. Raise it to look deeper. */
const STATES = 2_500;

const quietScript: Script = {
  requests: 'q',
  depth: 1,
  arrivals: '',
  maxClients: 0,
  spans: [300],
  grants: [],
  refusals: '',
  mayRetire: false,
  mayDrain: false,
};

const scenarios: readonly Scenario[] = [
  {
    name: 'two clients of one user, one connection',
    options: { granted: 1 },
    keys: ['a'],
    prologue: ['arrive a', 'answer 1', 'arrive a'],
    script: {
      ...quietScript,
      requests: 'qbc',
      spans: [300, 3_000],
      refusals: 'cl',
      mayDrain: true,
    },
  },
  {
    name: 'sessions that rest, and who waits for them',
    options: { granted: 1 },
    keys: ['a'],
    prologue: ['arrive a', 'answer 1', 'arrive a'],
    script: { ...quietScript, requests: 'qr', spans: [300, 3_000], mayDrain: true },
  },
  {
    name: 'three clients of one user, two connections',
    options: { granted: 2 },
    keys: ['a'],
    prologue: ['arrive a', 'answer 1', 'arrive a', 'arrive a'],
    script: { ...quietScript, requests: 'q', spans: [3_000], grants: [1, 2], mayRetire: true },
  },
  {
    name: 'two users, one connection',
    options: { granted: 1 },
    keys: ['a', 'b'],
    prologue: ['arrive a', 'answer 1', 'arrive b', 'close 1', 'answer 2'],
    script: { ...quietScript, requests: 'qp', spans: [300, 3_000], refusals: 'fl' },
  },
  {
    name: 'three clients of two users, two connections',
    options: { granted: 2 },
    keys: ['a', 'b'],
    prologue: ['arrive a', 'answer 1', 'arrive b', 'answer 2', 'arrive a'],
    script: { ...quietScript, spans: [300, 3_000], refusals: 'l', mayDrain: true },
  },
  {
    name: 'clients that arrive, and a database that may not let them in',
    options: { granted: 1 },
    keys: ['a', 'b'],
    prologue: [],
    script: {
      ...quietScript,
      arrivals: 'ab',
      maxClients: 3,
      spans: [300, 10_000],
      refusals: 'cfl',
      mayRetire: true,
      mayDrain: true,
    },
  },
  {
    name: 'pings, resets and cancel requests',
    options: { granted: 1, pool: { pingIntervalMs: 4_000 } },
    keys: ['a'],
    prologue: ['arrive a', 'answer 1', 'arrive a'],
    script: { ...quietScript, requests: 'qbp', spans: [4_000, 5_000], mayRetire: true },
  },
  {
    name: 'several requests at once, no waiting',
    options: { granted: 1, pool: { borrowTimeoutMs: 0 } },
    keys: ['a'],
    prologue: ['arrive a', 'answer 1', 'arrive a'],
    script: { ...quietScript, requests: 'qbc', depth: 2, spans: [300], refusals: 'l' },
  },
  {
    name: 'connections that age',
    options: {
      granted: 2,
      pool: { lifetimeMs: 40_000, idleTimeoutMs: 10_000, maxIdleConnectionsPercent: 0 },
    },
    keys: ['a', 'b'],
    prologue: ['arrive a', 'answer 1', 'arrive b', 'answer 2'],
    script: { ...quietScript, requests: 'qbc', spans: [10_000, 40_000], grants: [1, 2] },
  },
];

describe.each([
  ['close when both sides have ended them', false],
  ['close as soon as one side ends them', true],
] as const)('every order of events, on links that %s', (manner, closesAtOnce) => {
  test.each([...scenarios])('$name', (scenario) => {
    const options = { ...scenario.options, closesAtOnce };
    const { sequences, states, depth } = explore({ ...scenario, options }, STATES);
    console.log(
      `${scenario.name}; links ${manner}: ${sequences} sequences, ${states} states, all up to ${depth} events`,
    );
    expect(depth).toBeGreaterThanOrEqual(3);
  });
});
