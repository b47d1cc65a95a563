// What goes to and fro between handshake and OK, and how a session signs in anew. MySQL documentation, "Connection Phase".
import { concat, EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { SecretText } from '../../base/secret-text.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, cstring, int16 } from './build.ts';
import { capability } from './capabilities.ts';
import { command } from './commands.ts';
import { readPluginName, withNul, withoutNul } from './handshake.ts';
import { attributeList, readAttributes } from './handshake-response.ts';
import type { ConnectAttributes } from './handshake-response.ts';

/** The first byte of what a server sends during the sign-in. */
export const authHeader = {
  ok: 0x00,
  moreData: 0x01,
  nextFactor: 0x02,
  switchRequest: 0xfe,
  error: 0xff,
} as const;

export type AuthRequest =
  /** OK and error have readers of their own. */
  | { readonly kind: 'ok' }
  | { readonly kind: 'error' }
  /** `data` is a copy, without the byte that says what it is; MariaDB may leave that out, where nothing is mistaken for it. */
  | { readonly kind: 'moreData'; readonly data: Uint8Array }
  /** The plug-in to go on with, and its challenge without the NUL behind it, a copy. */
  | { readonly kind: 'switch'; readonly plugin: string; readonly challenge: Uint8Array }
  /** What servers of old ask for, with the handshake's challenge: mysql_old_password. */
  | { readonly kind: 'oldSwitch' }
  /** Another factor beside the password (MySQL 8.0.27). */
  | { readonly kind: 'nextFactor'; readonly plugin: string };

/** Reads what a server sends after a client's answer. */
export function readAuthRequest(body: Uint8Array): AuthRequest {
  const reader = new BodyReader('authentication request', body);
  switch (reader.u8()) {
    case authHeader.ok:
      return { kind: 'ok' };
    case authHeader.error:
      return { kind: 'error' };
    case authHeader.moreData:
      return { kind: 'moreData', data: reader.take(reader.remaining).slice() };
    case authHeader.nextFactor:
      return { kind: 'nextFactor', plugin: readPluginName(reader) };
    case authHeader.switchRequest: {
      if (reader.remaining === 0) return { kind: 'oldSwitch' };
      const plugin = readPluginName(reader);
      const challenge = withoutNul(reader.take(reader.remaining)).slice();
      return { kind: 'switch', plugin, challenge };
    }
    default:
      return { kind: 'moreData', data: body.slice() };
  }
}

export function authSwitchRequest(plugin: string, challenge: Uint8Array): Uint8Array {
  return concat([byte(authHeader.switchRequest), cstring(plugin), withNul(challenge)]);
}

export function authMoreData(data: Uint8Array): Uint8Array {
  return concat([byte(authHeader.moreData), data]);
}

/** Reads the answer to a request for a password in the clear: all of it up to the NUL, which some clients leave out. */
export function readClearPassword(body: Uint8Array): SecretText {
  const reader = new BodyReader('password', body);
  if (body.length > limits.passwordMessageBytes.value) throw reader.violation('too long');
  const password = new SecretText(reader.cstringOrRest());
  reader.end();
  return password;
}

export function clearPassword(password: SecretText): Uint8Array {
  return cstring(password.reveal());
}

/** COM_CHANGE_USER: a client signs in anew on the connection that it has. */
export interface ChangeUser {
  readonly user: string;
  /** A copy. */
  readonly authData: Uint8Array;
  readonly database: string | undefined;
  /** The number of a collation, 16 bits; undefined where the client names none. */
  readonly collation: number | undefined;
  readonly plugin: string | undefined;
  readonly attributes: ConnectAttributes;
}

/** Reads a command's payload. @param flags what both sides can do */
export function readChangeUser(body: Uint8Array, flags: number): ChangeUser {
  const reader = new BodyReader('COM_CHANGE_USER', body);
  reader.skip(1);
  const user = reader.cstring();
  const secure = (flags & capability.secureConnection) !== 0;
  const authData = (secure ? reader.take(reader.u8()) : reader.bytesToNul()).slice();
  const database = reader.cstring();
  // All that follows may be missing, from its end on.
  const collation = reader.remaining >= 2 ? reader.u16le() : undefined;
  const hasPlugin = (flags & capability.pluginAuth) !== 0 && reader.remaining > 0;
  const plugin = hasPlugin ? readPluginName(reader) : undefined;
  const hasAttributes = (flags & capability.connectAttrs) !== 0;
  const attributes = hasAttributes ? readAttributes(reader) : [];
  return {
    user,
    authData,
    database: database === '' ? undefined : database,
    collation,
    plugin,
    attributes,
  };
}

/** Authentication data of up to 255 bytes: what is longer has to wait for an AuthSwitchRequest. */
export function changeUser(said: ChangeUser, flags: number): Uint8Array {
  const { authData } = said;
  const secure = (flags & capability.secureConnection) !== 0;
  return concat([
    byte(command.changeUser),
    cstring(said.user),
    secure ? concat([byte(authData.length), authData]) : concat([authData, byte(0)]),
    cstring(said.database ?? ''),
    int16(said.collation ?? 0),
    (flags & capability.pluginAuth) === 0 ? EMPTY : cstring(said.plugin ?? ''),
    (flags & capability.connectAttrs) === 0 ? EMPTY : attributeList(said.attributes),
  ]);
}
