import { EMPTY } from '../../base/bytes.ts';
import type { Engine } from '../../core/engine.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';
import { acquaint, isAcquainted } from './acquaint.ts';
import { enter } from './enter.ts';
import { say } from './faults.ts';
import { greet } from './greet.ts';
import type { SqlServerMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import type { SqlServerPrincipal } from './principal.ts';
import { Principals, watcher } from './principal.ts';
import { SqlServerRelay } from './relay.ts';
import { initialise, measure, ping, reset } from './reset.ts';
import { Target } from './target.ts';

/** SQL Server, TDS 7.1 to 8.0, for one proxy: what is learnt of its target is learnt once. */
export function sqlServerEngine(): Engine<SqlServerMemory, SqlServerPrincipal> {
  const target = new Target();
  const house = { target, principals: new Principals() };
  return {
    family: 'SQLSERVER',
    defaultPort: 1433,
    greet: (door) => greet(door, house),
    enter: (gate) => enter(gate, target),
    ping,
    measure,
    reset,
    initialise,
    // An attention stops a request on its own connection: whoever has lost the client closes that.
    relay: (sink, who, welcome, options) => new SqlServerRelay(sink, who, welcome, options),
    isAcquainted,
    acquaint,
    overhear,
    inMessage: (memory) => memory.inMessage,
    watcher,
    sayFatal: (fault) => say(fault, tdsVersion.v74),
    goodbye: () => EMPTY,
  };
}
