import type { Case, LoadCase } from '../support/cases.ts';
import { memoryCases } from '../support/cases.ts';
import type { PgbenchLoad } from './pgbench.ts';
import { measureLoad } from './pgbench.ts';
import { measureSignIns } from './sign-ins.ts';

const MODES = ['simple', 'extended', 'prepared'] as const;
/** Few enough that the client's key derivation leaves some of the processors to the pooler. */
const RECONNECTING_CLIENTS = 4;

export const cases: readonly Case[] = [
  ...MODES.flatMap((mode) =>
    [1, 32, 200].map((clients) =>
      byPgbench(`${mode} ${clients}`, { mode, clients, reconnect: false }, false, {
        quick: clients === 32 || mode === 'simple',
      }),
    ),
  ),
  ...MODES.map((mode) =>
    byPgbench(`${mode} 32 TLS`, { mode, clients: 32, reconnect: false }, true, {
      quick: mode === 'simple',
    }),
  ),
  ...[false, true].map((tls) =>
    byPgbench(
      tls ? 'connect TLS' : 'connect',
      { mode: 'simple', clients: RECONNECTING_CLIENTS, reconnect: true },
      tls,
      { quick: false },
    ),
  ),
  ...[false, true].map((tls) => byOurselves(tls ? 'sign-in TLS' : 'sign-in', 32, tls)),
  ...memoryCases,
];

function byPgbench(
  name: string,
  load: PgbenchLoad,
  tls: boolean,
  { quick }: { readonly quick: boolean },
): LoadCase {
  const measure: LoadCase['measure'] = (line, measurement) => measureLoad(load, line, measurement);
  return { kind: 'load', name, tls, quick, load, measure };
}

function byOurselves(name: string, clients: number, tls: boolean): LoadCase {
  return {
    ...{ kind: 'load', name, tls, quick: true },
    load: { mode: 'simple', clients, reconnect: true },
    measure: (line, measurement) => measureSignIns(clients, line, measurement),
  };
}
