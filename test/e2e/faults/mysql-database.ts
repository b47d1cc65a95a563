import { EMPTY } from '../../../src/base/bytes.ts';
import type { ScriptedMysql, ServerScript } from '../../transcripts/mysql-server.ts';
import { mysqlServer } from '../../transcripts/mysql-server.ts';
import { mysqlSettingsFor } from '../../support/mysql.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { SettingsParts } from '../../support/sluice.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { TestSocket } from '../../support/test-socket.ts';

/** Longer than any test takes. */
const SCRIPT_DEADLINE_MS = 60_000;
const QUIT = '1';

/** One connection of a database that follows a script. */
export class Visit {
  readonly peer: TestSocket;
  readonly #server: ScriptedMysql;
  /** Who signs in. */
  user = '';

  constructor(peer: TestSocket, script: ServerScript) {
    this.peer = peer;
    this.#server = mysqlServer(script);
  }

  /** Greets, and waits for the answer. */
  async greet(): Promise<Uint8Array> {
    this.peer.send(this.#answer(EMPTY));
    const response = await this.packet();
    this.user = userIn(response);
    return response;
  }

  /** Lets the one in who has sent this. */
  admit(response: Uint8Array): void {
    this.peer.send(this.#answer(response));
  }

  /** Answers command after command, up to the first that `isEnd` likes: that one stays unanswered. False after a goodbye. */
  async serve(isEnd: (asked: string) => boolean): Promise<boolean> {
    for (;;) {
      const asked = await this.packet();
      const reply = this.#answer(asked);
      const line = this.#server.asked.at(-1) ?? '';
      if (line === QUIT) return false;
      if (isEnd(line)) return true;
      this.peer.send(reply);
    }
  }

  /** The next packet, its header included. */
  async packet(): Promise<Uint8Array> {
    const header = Buffer.from(await this.peer.peek(4));
    return await this.peer.read(4 + header.readUIntLE(0, 3));
  }

  #answer(heard: Uint8Array): Uint8Array {
    return this.#server.peer(heard) ?? EMPTY;
  }
}

/** The name in a handshake response: behind flags, packet size, collation and filler. */
function userIn(response: Uint8Array): string {
  const payload = Buffer.from(response.subarray(4));
  return payload.toString('utf8', 32, payload.indexOf(0, 32));
}

export function scriptedMysql(
  script: (visit: Visit, connection: number) => Promise<void>,
  manners: (connection: number) => ServerScript = () => ({}),
): ScriptedServer {
  return startScriptedServer(
    (peer, connection) => script(new Visit(peer, manners(connection)), connection),
    SCRIPT_DEADLINE_MS,
  );
}

/** Settings for these users beside `app`, who watches. */
export const settingsWith =
  (users: readonly string[]) =>
  (server: { readonly host: string; readonly port: number }, parts: SettingsParts): object => {
    const all = ['app', ...users];
    const { proxy = {}, ...rest } = parts;
    return mysqlSettingsFor(
      { ...server, isMariadb: false },
      {
        secrets: all.map((username) => ({
          name: username,
          value: { username, password: passwordOf(username) },
        })),
        ...rest,
        proxy: { auth: all.map((secret) => ({ secret, iamAuth: 'DISABLED' })), ...proxy },
      },
    );
  };
