import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** What the client says of channel binding: the flag (`n`, `y`, `p=<type>`), and what it claims to be bound to. */
export interface SaidBinding {
  readonly flag: string;
  readonly data?: Uint8Array;
}

/** The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with or without PLUS, written apart from `src/auth`. */
export interface ScramClient {
  first(): string;
  final(serverFirst: string): string;
  /** Throws where the server does not know the password either. */
  check(serverFinal: string): void;
}

export function scramClient(
  password: string,
  nonce: string = randomBytes(18).toString('base64'),
  { flag, data = new Uint8Array(0) }: SaidBinding = { flag: 'n' },
): ScramClient {
  const firstBare = `n=,r=${nonce}`;
  const header = `${flag},,`;
  let expected: string | undefined;
  return {
    first: () => `${header}${firstBare}`,
    final(serverFirst) {
      const [, combined = '', salt = '', rounds = ''] =
        /^r=(.*),s=(.*),i=(\d+)$/.exec(serverFirst) ?? [];
      if (!combined.startsWith(nonce)) throw new Error('the server did not extend the nonce');
      const bound = Buffer.concat([Buffer.from(header), data]).toString('base64');
      const bare = `c=${bound},r=${combined}`;
      const signed = [firstBare, serverFirst, bare].join(',');
      const salted = saltedPassword(password, salt, Number(rounds));
      const key = hmac(salted, 'Client Key');
      const signature = hmac(createHash('sha256').update(key).digest(), signed);
      const proof = key.map((byte, at) => byte ^ (signature[at] ?? 0));
      expected = `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`;
      return `${bare},p=${Buffer.from(proof).toString('base64')}`;
    },
    check(serverFinal) {
      if (expected === undefined || serverFinal !== expected) {
        throw new Error('the server did not prove that it knows the password');
      }
    },
  };
}

/** The last one: deriving it takes milliseconds, and thousands of clients may sign in as the same user. */
let derived: { readonly key: string; readonly salted: Buffer } | undefined;

function saltedPassword(password: string, salt: string, rounds: number): Buffer {
  const key = JSON.stringify([password, salt, rounds]);
  if (derived?.key !== key) {
    const bytes = Buffer.from(salt, 'base64');
    derived = {
      key,
      salted: pbkdf2Sync(password.normalize('NFKC'), bytes, rounds, 32, 'sha256'),
    };
  }
  return derived.salted;
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
