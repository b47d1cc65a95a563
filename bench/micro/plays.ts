import type { Engine, Principal } from '../../src/core/engine.ts';
import { postgresEngine } from '../../src/engine/postgres/engine.ts';
import { makePrincipal } from '../../src/engine/postgres/principal.ts';
import { Realms } from '../../src/engine/postgres/realm.ts';
import { sqlServerEngine } from '../../src/engine/sqlserver/engine.ts';
import { Target } from '../../src/engine/sqlserver/target.ts';
import { backend, bytesOf } from '../../test/support/messages.ts';
import { aClient, aMemory } from '../../test/transcripts/tds-rig.ts';
import type { Poll } from './peers.ts';
import { ClientPeer, ServerPeer } from './peers.ts';
import { endsAnswer, modes, requests } from './requests.ts';
import { Scene } from './scene.ts';
import { endsReply, manners, sayings, TdsServerPeer } from './tds-peers.ts';

/** One way to say a statement, with one protocol. */
export interface Mode {
  readonly engine: 'postgres' | 'sqlserver';
  readonly name: string;
  open(clients: number, connections: number): Promise<Scene>;
}

/** What PostgreSQL says to those that it lets in without a password. */
const welcome = bytesOf(
  backend.authenticationOk(),
  backend.parameterStatus('client_encoding', 'UTF8'),
  backend.parameterStatus('standard_conforming_strings', 'on'),
  backend.keyData(1, Buffer.from('1234')),
  backend.ready(),
);

const nothing = new Map<string, string>();

const postgres = modes.map((name): Mode => ({
  engine: 'postgres',
  name,
  open: (clients, connections) => {
    const said = { parameters: nothing, wishes: nothing, realms: new Realms() };
    const play = {
      engine: postgresEngine(),
      who: makePrincipal('bench', 'bench', said),
      welcome: [welcome],
      client: (poll: Poll, number: number) =>
        new ClientPeer(poll, requests(name, number), endsAnswer),
      server: (poll: Poll) => new ServerPeer(poll),
    };
    return Scene.open(play, clients, connections);
  },
}));

const sqlserver = manners.map((name): Mode => ({
  engine: 'sqlserver',
  name,
  open: (clients, connections) => {
    const [who, target] = [aClient(), new Target()];
    const play = {
      engine: withoutLogin(sqlServerEngine(), () => aMemory({ who, target })),
      who,
      welcome: [],
      client: (poll: Poll, number: number) =>
        new ClientPeer(poll, sayings(name, number), endsReply),
      server: (poll: Poll) => new TdsServerPeer(poll),
    };
    return Scene.open(play, clients, connections);
  },
}));

const NOTHING_SAID: readonly never[] = [];

/** Connections are as they are after a login, which there is none of. */
function withoutLogin<Memory, Who extends Principal>(
  engine: Engine<Memory, Who>,
  make: () => Memory,
): Engine<Memory, Who> {
  return {
    ...engine,
    *enter() {
      yield* NOTHING_SAID;
      return make();
    },
  };
}

export const plays: readonly Mode[] = [...postgres, ...sqlserver];
