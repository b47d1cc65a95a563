import type { Case, LoadCase } from '../support/cases.ts';
import { memoryCases } from '../support/cases.ts';
import { measureLoad } from './load.ts';
import type { TdsLoad, Work } from './load/statements.ts';
import { modes } from './load/statements.ts';

const CLIENTS = [1, 32, 200] as const;
const BOTH = [false, true] as const;

export const cases: readonly Case[] = [
  ...CLIENTS.flatMap((clients) => staying('select', clients, false)),
  ...staying('select', 32, true),
  ...CLIENTS.flatMap((clients) => staying('mix', clients, false)),
  ...BOTH.map((tls) =>
    loadCase('connect', { work: 'select', mode: 'batch', clients: 32, reconnect: true }, tls, true),
  ),
  ...memoryCases,
];

/** Clients that stay connected, by each of the ways to say a statement. */
function staying(work: Work, clients: number, tls: boolean): readonly LoadCase[] {
  return modes.map((mode) => {
    const isFirst = mode === 'batch';
    const quick = work === 'select' && !tls ? isFirst || clients === 32 : isFirst && clients === 32;
    const load = { work, mode, clients, reconnect: false };
    return loadCase(`${work} ${mode} ${clients}`, load, tls, quick);
  });
}

function loadCase(name: string, load: TdsLoad, tls: boolean, quick: boolean): LoadCase {
  return {
    ...{ kind: 'load', name: tls ? `${name} TLS` : name, tls, quick, load },
    measure: (line, measurement) => measureLoad(load, line, measurement),
  };
}
