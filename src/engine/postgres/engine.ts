import { SaltedPasswords } from '../../auth/scram.ts';
import type { Engine } from '../../core/engine.ts';
import { terminate } from '../../wire/postgres/frontend.ts';
import { cancel } from './cancel.ts';
import { enter } from './enter.ts';
import { say } from './faults.ts';
import { greet } from './greet.ts';
import type { PostgresMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import type { PostgresPrincipal } from './principal.ts';
import { makePrincipal } from './principal.ts';
import { PostgresRelay } from './relay.ts';
import { initialise, measure, ping, reset } from './reset.ts';

/** What a watching connection calls itself in pg_stat_activity. */
const WATCHER_PARAMETERS = new Map([['application_name', 'sluice watcher']]);

/** PostgreSQL, protocol 3.0. */
export function postgresEngine(): Engine<PostgresMemory, PostgresPrincipal> {
  const salted = new SaltedPasswords();
  return {
    family: 'POSTGRESQL',
    defaultPort: 5432,
    greet: (door) => greet(door, salted),
    enter: (gate) => enter(gate, salted),
    ping,
    measure,
    reset,
    initialise,
    cancel: (memory, gate) => cancel(memory, gate.tlsMode),
    relay: (sink, _who, welcome) => new PostgresRelay(sink, welcome),
    overhear,
    inMessage: (memory) => memory.inMessage,
    watcher: (user, database) => makePrincipal(user, database ?? user, WATCHER_PARAMETERS),
    sayFatal: (fault) => say(fault, 'FATAL'),
    goodbye: terminate,
  };
}
