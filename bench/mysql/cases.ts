import type { Case, LoadCase } from '../support/cases.ts';
import { memoryCases } from '../support/cases.ts';
import { measureLoad } from './load.ts';
import type { MysqlLoad, Work } from './load/statements.ts';
import { modes } from './load/statements.ts';

const CLIENTS = [1, 32, 200] as const;
const BOTH = [false, true] as const;

export const cases: readonly Case[] = [
  ...BOTH.flatMap((tls) => CLIENTS.flatMap((clients) => staying('select', clients, tls))),
  ...CLIENTS.flatMap((clients) => staying('mix', clients, false)),
  ...staying('mix', 32, true),
  ...BOTH.map((tls) =>
    loadCase('connect', { work: 'select', mode: 'text', clients: 32, reconnect: true }, tls, true),
  ),
  ...memoryCases,
];

/** Clients that stay connected, by texts and by prepared statements. */
function staying(work: Work, clients: number, tls: boolean): readonly LoadCase[] {
  return modes.map((mode) => {
    const quick = work === 'select' ? mode === 'text' || clients === 32 : mode === 'text';
    const load = { work, mode, clients, reconnect: false };
    return loadCase(`${work} ${mode} ${clients}`, load, tls, quick && (clients === 32 || !tls));
  });
}

function loadCase(name: string, load: MysqlLoad, tls: boolean, quick: boolean): LoadCase {
  return {
    ...{ kind: 'load', name: tls ? `${name} TLS` : name, tls, quick, load },
    measure: (line, measurement) => measureLoad(load, line, measurement),
  };
}
