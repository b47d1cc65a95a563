import { createHash } from 'node:crypto';

// The channel binding `tls-server-end-point` (RFC 5929, section 4): a hash of the certificate of the side that is the TLS
// server, taken with the hash function of the certificate's own signature.

/** RFC 4055 and RFC 5758. Where a hash is too weak, RFC 5929 has SHA-256 in its place. */
const signatureHashes: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'sha256'], // md5WithRSAEncryption
  ['1.2.840.113549.1.1.5', 'sha256'], // sha1WithRSAEncryption
  ['1.2.840.113549.1.1.14', 'sha224'], // sha224WithRSAEncryption
  ['1.2.840.113549.1.1.11', 'sha256'], // sha256WithRSAEncryption
  ['1.2.840.113549.1.1.12', 'sha384'], // sha384WithRSAEncryption
  ['1.2.840.113549.1.1.13', 'sha512'], // sha512WithRSAEncryption
  ['1.2.840.10045.4.1', 'sha256'], // ecdsa-with-SHA1
  ['1.2.840.10045.4.3.1', 'sha224'], // ecdsa-with-SHA224
  ['1.2.840.10045.4.3.2', 'sha256'], // ecdsa-with-SHA256
  ['1.2.840.10045.4.3.3', 'sha384'], // ecdsa-with-SHA384
  ['1.2.840.10045.4.3.4', 'sha512'], // ecdsa-with-SHA512
]);

/** Says in its parameters which hash it uses (RFC 4055, section 3.1). */
const RSASSA_PSS = '1.2.840.113549.1.1.10';
const SHA1 = '1.3.14.3.2.26';
const pssHashes: ReadonlyMap<string, string> = new Map([
  [SHA1, 'sha256'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/**
 * What a login over TLS with this certificate (X.509 as DER) is bound to. Undefined where its signature names no hash of
 * its own, as Ed25519 does: for such certificates the RFC defines no binding.
 */
export function endPointOf(certificate: Uint8Array): Uint8Array | undefined {
  const known = endPoints.get(certificate);
  if (known !== undefined) return known;
  const hash = signatureHash(certificate);
  if (hash === undefined) return undefined;
  const endPoint = createHash(hash).update(certificate).digest();
  endPoints.set(certificate, endPoint);
  return endPoint;
}

/** A server shows the same certificate to all. */
const endPoints = new WeakMap<Uint8Array, Uint8Array>();

/** RFC 5280, section 4.1: a certificate is what is signed, the algorithm, and the signature. */
function signatureHash(certificate: Uint8Array): string | undefined {
  const [, algorithm = EMPTY_ELEMENT] = children(first(certificate));
  const [id = EMPTY_ELEMENT, parameters = EMPTY_ELEMENT] = children(algorithm);
  if (dotted(id) !== RSASSA_PSS) return signatureHashes.get(dotted(id));
  const named = children(parameters).find(({ tag }) => tag === CONTEXT_0);
  if (named === undefined) return pssHashes.get(SHA1); // the default
  const [hash = EMPTY_ELEMENT] = children(first(named.content));
  return pssHashes.get(dotted(hash));
}

// DER (X.690): a tag, a length, the contents. What is no DER has no elements.

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;
const CONTEXT_0 = 0xa0;
const EMPTY_ELEMENT: Element = { tag: 0, content: new Uint8Array(0) };

function first(bytes: Uint8Array): Element {
  return elements(bytes)[0] ?? EMPTY_ELEMENT;
}

function children({ tag, content }: Element): readonly Element[] {
  return tag === SEQUENCE ? elements(content) : [];
}

function elements(bytes: Uint8Array): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const [tag = 0, short = 0] = bytes.subarray(at);
    const longBytes = short < 0x80 ? 0 : short - 0x80;
    let start = at + 2;
    let length = longBytes === 0 ? short : 0;
    for (const byte of bytes.subarray(start, start + longBytes)) length = length * 256 + byte;
    start += longBytes;
    if (length > bytes.length - start) return [];
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** As in `1.2.840.113549`: seven bits to a byte, the first two numbers in one. */
function dotted({ tag, content }: Element): string {
  if (tag !== OBJECT_IDENTIFIER) return '';
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length === 0) numbers.push(Math.min(2, Math.floor(value / 40)));
    numbers.push(numbers.length === 1 ? value - 40 * (numbers[0] ?? 0) : value);
    value = 0;
  }
  return numbers.join('.');
}
