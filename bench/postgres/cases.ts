import type { Load } from './pgbench.ts';

interface CommonCase {
  readonly name: string;
  readonly tls: boolean;
  /** A part of the quick run. */
  readonly quick: boolean;
}

/** Transactions. */
export interface LoadCase extends CommonCase {
  readonly kind: 'load';
  readonly load: Load;
  /** Who makes them. */
  readonly by: 'pgbench' | 'ourselves';
}

/** Clients that do nothing. */
export interface IdleCase extends CommonCase {
  readonly kind: 'idle';
}

/** One large result. */
export interface ResultCase extends CommonCase {
  readonly kind: 'result';
  readonly reader: 'fast' | 'slow';
}

export type Case = LoadCase | IdleCase | ResultCase;

const MODES = ['simple', 'extended', 'prepared'] as const;
/** Few enough that the client's key derivation leaves some of the processors to the pooler. */
const RECONNECTING_CLIENTS = 4;

export const cases: readonly Case[] = [
  ...MODES.flatMap((mode) =>
    [1, 32, 200].map((clients) =>
      loadCase(`${mode} ${clients}`, { mode, clients, reconnect: false }, false, {
        quick: clients === 32 || mode === 'simple',
      }),
    ),
  ),
  ...MODES.map((mode) =>
    loadCase(`${mode} 32 TLS`, { mode, clients: 32, reconnect: false }, true, {
      quick: mode === 'simple',
    }),
  ),
  ...[false, true].map((tls) =>
    loadCase(
      tls ? 'connect TLS' : 'connect',
      { mode: 'simple', clients: RECONNECTING_CLIENTS, reconnect: true },
      tls,
      { quick: false },
    ),
  ),
  ...[false, true].map((tls) =>
    loadCase(
      tls ? 'sign-in TLS' : 'sign-in',
      { mode: 'simple', clients: 32, reconnect: true },
      tls,
      { quick: true, by: 'ourselves' },
    ),
  ),
  { kind: 'idle', name: 'idle', tls: false, quick: true },
  { kind: 'idle', name: 'idle TLS', tls: true, quick: false },
  { kind: 'result', name: 'result fast', tls: false, quick: true, reader: 'fast' },
  { kind: 'result', name: 'result slow', tls: false, quick: true, reader: 'slow' },
];

function loadCase(
  name: string,
  load: Load,
  tls: boolean,
  { quick, by = 'pgbench' }: Pick<LoadCase, 'quick'> & Partial<Pick<LoadCase, 'by'>>,
): LoadCase {
  return { kind: 'load', name, tls, quick, load, by };
}

/** Those whose names contain one of the parts, or all of a run. */
export function chosenCases(parts: readonly string[], quick: boolean): readonly Case[] {
  if (parts.length > 0) {
    return cases.filter(({ name }) =>
      parts.some((part) => name.toLowerCase().includes(part.toLowerCase())),
    );
  }
  return cases.filter((one) => one.quick || !quick);
}
