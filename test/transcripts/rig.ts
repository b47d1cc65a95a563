import type { RelayOptions } from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import { PostgresMemory } from '../../src/engine/postgres/memory.ts';
import { overhear } from '../../src/engine/postgres/overhear.ts';
import type { PostgresPrincipal } from '../../src/engine/postgres/principal.ts';
import { makePrincipal } from '../../src/engine/postgres/principal.ts';
import { Realm, Realms } from '../../src/engine/postgres/realm.ts';
import { PostgresRelay } from '../../src/engine/postgres/relay.ts';
import { parseMessages } from '../support/messages.ts';
import { transcript } from '../support/transcript.ts';
import { RelayRig } from './relay-rig.ts';

export const usualParameters = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
  ['TimeZone', 'UTC'],
]);

export function freshMemory(
  parameters: ReadonlyMap<string, string> = usualParameters,
  realm = new Realm(),
): PostgresMemory {
  return new PostgresMemory({ parameters, realm, pid: 4711, secret: Uint8Array.of(1, 2, 3, 4) });
}

export const usualOptions: RelayOptions = {
  pinning: 'minimal',
  maxPreparedStatements: 200,
  ignoreSetsForPinning: false,
};

export const anybody: PostgresPrincipal = makePrincipal('app', 'app', {
  parameters: new Map(),
  wishes: new Map(),
  realms: new Realms(),
});

export interface RigParts {
  readonly welcome?: PostgresMemory;
  readonly who?: PostgresPrincipal;
  readonly options?: RelayOptions;
}

/** A PostgreSQL relay between a client and a database in memory. */
export class Rig extends RelayRig<PostgresMemory, PostgresPrincipal, PostgresRelay> {
  constructor(
    memory = freshMemory(),
    { welcome = memory, who = anybody, options = usualOptions }: RigParts = {},
  ) {
    super(memory, {
      relay: (sink) => new PostgresRelay(sink, who, welcome, options),
      overhear,
    });
  }

  /** The types of the messages that the database has received since this was last asked. */
  passed(): string {
    return parseMessages(this.takePassed())
      .map(({ type }) => type)
      .join('');
  }

  /** What the client has received since this was last asked, in lines. */
  heard(): readonly string[] {
    return transcript(parseMessages(this.takeHeard()));
  }

  // What is of other engines.

  override converse(): void {
    throw new Error('a PostgreSQL session signs in once');
  }

  override surrender(): void {
    throw new Error('a PostgreSQL session goes on as it is');
  }

  override become(): void {
    throw new Error('a PostgreSQL session stays what it is');
  }

  override stop(): boolean {
    throw new Error('a PostgreSQL session stops no other');
  }

  override fail(fault: Fault): void {
    throw new Error(`a fault: ${fault.name}`);
  }
}

/** A client that has sent this, and a database that has answered so. */
export function after(sent: Uint8Array, ...answers: readonly Uint8Array[]): Rig {
  return new Rig().client(sent).server(...answers);
}
