import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Engine, Principal } from '../core/engine.ts';
import { Entrance } from '../core/entrance.ts';
import type { Link } from '../core/link.ts';
import type { SecretValue } from '../secrets/source.ts';
import { SocketNetwork } from './network.ts';
import type { DatabaseSettings } from './settings/settings.ts';
import { loadClientTls } from './tls-material.ts';

/** A connection to a database that nobody else uses. */
export interface Inside<Memory> {
  readonly link: Link;
  readonly memory: Memory;
  /** Rejects as the conversation does, or where it takes too long. */
  ask<Result>(conversation: Conversation<Result>): Promise<Result>;
  leave(): void;
}

/**
 * Signs in to a database as a proxy would, and says these statements, if any, which must return no rows.
 * @param timeoutMs for each conversation
 */
export async function enterDatabase<Memory, Who extends Principal>(
  engine: Engine<Memory, Who>,
  database: DatabaseSettings,
  { username, password }: Pick<SecretValue, 'username' | 'password'>,
  { timeoutMs, statements = '' }: { readonly timeoutMs: number; readonly statements?: string },
): Promise<Inside<Memory>> {
  const network = new SocketNetwork(systemClock, database);
  network.tlsClient = await loadClientTls(database);
  const entrance = new Entrance({
    engine,
    network,
    random: systemRandom,
    credentials: { current: async () => password, refresh: async () => password },
    settings: {
      tlsMode: database.tlsMode,
      tlsFirst: database.tlsFirst,
      channelBinding: database.channelBinding,
      allowCleartext: database.allowCleartextPassword,
      initQuery: statements,
    },
  });
  const { link, memory } = await entrance.enter(
    engine.watcher(username, database.database),
    timeoutMs,
  );
  return {
    link,
    memory,
    ask: async (conversation) => (await network.talk(link, conversation, { timeoutMs })).result,
    leave: () => {
      link.write(engine.goodbye());
      link.end();
    },
  };
}
