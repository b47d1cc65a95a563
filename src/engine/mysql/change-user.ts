import { Violation } from '../../base/assert.ts';
import type { Conversation } from '../../core/conversation.ts';
import { wait } from '../../core/conversation.ts';
import type { Door } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { TalkTimeout } from '../../core/network.ts';
import { readChangeUser } from '../../wire/mysql/auth-packets.ts';
import { Dialogue } from './dialogue.ts';
import { say } from './faults.ts';
import type { House } from './greet.ts';
import type { MysqlMemory } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';
import { signIn } from './sign-in.ts';
import { renewedOk } from './welcome.ts';

/** Whom a session has become, and what its connections look like. */
export interface Changed {
  readonly who: MysqlPrincipal;
  readonly welcome: MysqlMemory;
}

/**
 * COM_CHANGE_USER: the client signs in anew on its connection (trap MY-24). Whatever it has sent as a proof is passed over, for it
 * may have been made with any challenge that it was ever given: it is asked again.
 */
export function* changeUser(
  door: Door<MysqlMemory, MysqlPrincipal>,
  { principals, key }: House,
  payload: Uint8Array,
  before: MysqlPrincipal,
): Conversation<Changed> {
  const { flags } = before.capabilities;
  const { user, database, collation } = readChangeUser(payload, flags);
  const dialogue = new Dialogue(1);
  try {
    const claim = {
      user,
      plugin: UNKNOWN_PLUGIN,
      answer: new Uint8Array(0),
      challenge: new Uint8Array(0),
      isEncrypted: door.isEncrypted(),
      flags,
    };
    yield* signIn(door, dialogue, claim, key);
    const who = principals.of({
      user,
      schema: database,
      capabilities: before.capabilities,
      collation: collation === undefined || collation === 0 ? before.collation : collation,
      zstdLevel: before.zstdLevel,
    });
    const welcome = yield* wait(() => door.open(who));
    yield* dialogue.say(renewedOk(who, welcome));
    return { who, welcome };
  } catch (error) {
    const fault = faultIn(error);
    if (fault === undefined) throw error;
    throw new FaultError(fault, say(fault, dialogue.next, flags));
  }
}

/** What the client has not been told yet, of what ends the talk: it hears that as the next packet. */
function faultIn(error: unknown): Fault | undefined {
  if (error instanceof FaultError) return error.words === undefined ? error.fault : undefined;
  if (error instanceof TalkTimeout) return { name: 'loginTimeout' };
  if (!(error instanceof Violation)) return undefined;
  return { name: 'protocolViolation', detail: error.message };
}

/** It is none of those that there are, so that the client is told which to go on with. */
const UNKNOWN_PLUGIN = '';
