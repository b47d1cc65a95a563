import type { Engine } from '../../core/engine.ts';
import { byte } from '../../wire/mysql/build.ts';
import { command } from '../../wire/mysql/commands.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { acquaint, isAcquainted } from './acquaint.ts';
import { cancel } from './cancel.ts';
import { CompressedRelay } from './compressed-relay.ts';
import { enter } from './enter.ts';
import { say } from './faults.ts';
import { greet } from './greet.ts';
import type { MysqlMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import type { MysqlPrincipal } from './principal.ts';
import { compressionOf, Principals, watcher } from './principal.ts';
import { MysqlRelay } from './relay.ts';
import { initialise, measure, ping, reset } from './reset.ts';
import { ServerKey } from './server-key.ts';
import { Target } from './target.ts';

const GOODBYE = packet(0, byte(command.quit));

/** MySQL and MariaDB, protocol 10, for one proxy: what is learnt of its target is learnt once. */
export function mysqlEngine(): Engine<MysqlMemory, MysqlPrincipal> {
  const target = new Target();
  const house = { target, principals: new Principals(), key: new ServerKey() };
  return {
    family: 'MYSQL',
    defaultPort: 3306,
    greet: (door) => greet(door, house),
    enter: (gate) => enter(gate, target),
    ping,
    measure,
    reset: (memory, pins) => reset(memory, target, pins),
    initialise: (memory, statements) => initialise(memory, target, statements),
    cancel: (memory, gate) => cancel(memory, target, gate.tlsMode),
    relay: (sink, who, welcome, options) => {
      const make = (to: typeof sink): MysqlRelay =>
        new MysqlRelay(to, house, who, welcome, options);
      const compression = compressionOf(who);
      return compression === undefined
        ? make(sink)
        : new CompressedRelay(sink, compression, who.zstdLevel, make);
    },
    isAcquainted: (_, who) => isAcquainted(target, who),
    acquaint: (memory, who) => acquaint(memory, target, who),
    overhear,
    inMessage: (memory) => memory.inMessage,
    watcher,
    sayFatal: (fault) => say(fault, 0, 0),
    goodbye: () => GOODBYE,
  };
}
