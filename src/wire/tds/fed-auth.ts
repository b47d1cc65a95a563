// Sign-in by a token: what the feature of that name holds, and what is said behind the login. [MS-TDS] 2.2.6.3, 2.2.6.4, 2.2.7.12.
import { concat, utf16 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, int32 } from './build.ts';
import { token } from './tokens.ts';

/** Where the client has its token from. */
export const fedAuthLibrary = {
  liveId: 0,
  /** It has one, and it is in the feature. */
  securityToken: 1,
  /** It gets one when it has been told where: `fedAuthInfo`. */
  adal: 2,
} as const;

const ECHO = 1;

export interface FedAuth {
  readonly library: number;
  /** What the client has heard of `fedAuthRequired` in the PRELOGIN. */
  readonly echo: boolean;
  /** With a library of `securityToken`: the token, a copy. */
  readonly token: Uint8Array | undefined;
}

/** Reads the data of a login's feature `fedAuth`. */
export function readFedAuth(data: Uint8Array): FedAuth {
  const reader = new BodyReader('FEDAUTH', data);
  const first = reader.u8();
  const library = first >> 1;
  const hasToken = library === fedAuthLibrary.securityToken;
  // A nonce may follow.
  const said = hasToken ? reader.take(reader.u32le()).slice() : undefined;
  return { library, echo: (first & ECHO) !== 0, token: said };
}

export function fedAuth({ library, echo, token: said }: FedAuth): Uint8Array {
  const first = byte((library << 1) | (echo ? ECHO : 0));
  return said === undefined ? first : concat([first, int32(said.length), said]);
}

/** The token, a copy, of a message of type `fedAuthToken`. */
export function readFedAuthToken(payload: Uint8Array): Uint8Array {
  const outer = new BodyReader('FEDAUTH token', payload);
  const length = outer.u32le();
  const reader = new BodyReader('FEDAUTH token', outer.take(length));
  outer.end();
  return reader.take(reader.u32le()).slice();
}

const infoId = { stsUrl: 1, spn: 2 } as const;
/** An identifier, a length and an offset. */
const INFO_BYTES = 9;

/** The token FEDAUTHINFO: where a client gets a token, and for what. */
export function fedAuthInfo(stsUrl: string, spn: string): Uint8Array {
  const options = [
    { id: infoId.stsUrl, value: utf16(stsUrl) },
    { id: infoId.spn, value: utf16(spn) },
  ];
  let offset = 4 + options.length * INFO_BYTES;
  const heads = options.map(({ id, value }) => {
    const head = concat([byte(id), int32(value.length), int32(offset)]);
    offset += value.length;
    return head;
  });
  const body = concat([int32(options.length), ...heads, ...options.map(({ value }) => value)]);
  return concat([byte(token.fedAuthInfo), int32(body.length), body]);
}
