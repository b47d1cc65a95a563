import { SaltedPasswords } from '../../auth/salted-passwords.ts';
import type { Engine } from '../../core/engine.ts';
import { terminate } from '../../wire/postgres/frontend.ts';
import { cancel } from './cancel.ts';
import { enter } from './enter.ts';
import { say } from './faults.ts';
import { greet } from './greet.ts';
import type { PostgresMemory } from './memory.ts';
import { acquaint, isAcquainted } from './outfit.ts';
import { overhear } from './overhear.ts';
import type { PostgresPrincipal } from './principal.ts';
import { makePrincipal } from './principal.ts';
import { Realms } from './realm.ts';
import { PostgresRelay } from './relay.ts';
import { initialise, measure, ping, reset } from './reset.ts';

/** What a watching connection calls itself in pg_stat_activity. */
const WATCHER = {
  parameters: new Map([['application_name', 'sluice watcher']]),
  wishes: new Map<string, string>(),
};

/** PostgreSQL, protocol 3.0 and 3.2, for one proxy: what is learnt of its databases is learnt once. */
export function postgresEngine(
  salted = new SaltedPasswords(),
): Engine<PostgresMemory, PostgresPrincipal> {
  const realms = new Realms();
  return {
    family: 'POSTGRESQL',
    defaultPort: 5432,
    greet: (door) => greet(door, salted, realms),
    enter: (gate) => enter(gate, salted),
    ping,
    measure,
    reset,
    initialise,
    cancel: (memory, gate) => cancel(memory, gate.tlsMode),
    relay: (sink, who, welcome, options) => new PostgresRelay(sink, who, welcome, options),
    isAcquainted,
    acquaint,
    overhear,
    inMessage: (memory) => memory.inMessage,
    watcher: (user, database) => makePrincipal(user, database ?? user, { ...WATCHER, realms }),
    sayFatal: (fault) => say(fault, 'FATAL'),
    goodbye: terminate,
  };
}
