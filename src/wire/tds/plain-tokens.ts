// Where tokens end that hold no values of a column's type.
import { Violation } from '../../base/assert.ts';
import { u16le, u32le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { dataClassificationEnd } from './classification.ts';
import type { Form } from './columns.ts';
import { FEATURES_END } from './features.ts';
import { token } from './tokens.ts';
import { isWide } from './versions.ts';

/** A token and a length. */
const SHORT_HEAD_BYTES = 3;
const LONG_HEAD_BYTES = 5;

/** How many bytes come before the body of a token of this kind: itself, and its length where it has one. */
export function headBytes(kind: number): number {
  switch (kind) {
    case token.done:
    case token.doneProc:
    case token.doneInProc:
    case token.returnStatus:
    case token.offset:
    case token.featureExtAck:
    case token.dataClassification:
      return 1;
    case token.sessionState:
    case token.fedAuthInfo:
      return LONG_HEAD_BYTES;
    default:
      return SHORT_HEAD_BYTES;
  }
}

export function doneBytes(version: number): number {
  return isWide(version) ? 13 : 9;
}

/** The offset behind the token that begins at `at`; -1: more of it is needed. */
export function tokenEnd(bytes: Uint8Array, at: number, end: number, form: Form): number {
  const next = announcedEnd(bytes, at, end, form);
  if (next - at > limits.tdsTokenBytes.value) throw new Violation(`a token of ${next - at} bytes`);
  return next > end ? -1 : next;
}

function announcedEnd(bytes: Uint8Array, at: number, end: number, form: Form): number {
  const kind = u8(bytes, at);
  switch (kind) {
    case token.done:
    case token.doneProc:
    case token.doneInProc:
      return at + doneBytes(form.version);
    case token.returnStatus:
    case token.offset:
      return at + 5;
    case token.envChange:
    case token.error:
    case token.info:
    case token.order:
    case token.colInfo:
    case token.tabName:
    case token.loginAck:
    case token.sspi:
      if (end - at < SHORT_HEAD_BYTES) return -1;
      return at + SHORT_HEAD_BYTES + u16le(bytes, at + 1);
    case token.sessionState:
    case token.fedAuthInfo:
      if (end - at < LONG_HEAD_BYTES) return -1;
      return at + LONG_HEAD_BYTES + u32le(bytes, at + 1);
    case token.featureExtAck:
      return featuresEnd(bytes, at + 1, end);
    case token.dataClassification:
      return dataClassificationEnd(bytes, at + 1, end, form.dataClassification);
    default:
      throw new Violation(`a token ${kind}, which there is not`);
  }
}

function featuresEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    if (u8(bytes, at) === FEATURES_END) return at + 1;
    if (end - at < LONG_HEAD_BYTES) return -1;
    at += LONG_HEAD_BYTES + u32le(bytes, at + 1);
  }
  // What it has announced by now is too much already, perhaps.
  return at === end ? -1 : at;
}
