import type { RequestHead } from '../../auth/sigv4.ts';
import { ApiError } from '../api-error.ts';
import type { Input } from '../service.ts';
import { jsonText } from './json.ts';
import { isTree } from './tree.ts';
import type { Asked, OwnError, Reply, Wire } from './wire.ts';

// JSON 1.1, with the operation in the header X-Amz-Target.

const CODES: Readonly<Record<OwnError, readonly [code: string, status: number]>> = {
  unsigned: ['MissingAuthenticationTokenException', 400],
  incomplete: ['IncompleteSignatureException', 400],
  unknownKey: ['UnrecognizedClientException', 400],
  expiredKey: ['ExpiredTokenException', 400],
  mismatch: ['InvalidSignatureException', 400],
  denied: ['AccessDeniedException', 400],
  unknownOperation: ['UnknownOperationException', 400],
  tooLarge: ['RequestEntityTooLarge', 413],
  throttled: ['ThrottlingException', 400],
  failure: ['InternalServiceError', 500],
};

export function jsonWire(targetPrefix: string): Wire {
  return {
    read: (head, body) => readAsked(head, body, targetPrefix),
    result: (_operation, output, requestId) => reply(200, requestId, output),
    // Services differ in how they write `message`, and so do SDKs.
    error: ({ code, message, status }, requestId) =>
      reply(status, requestId, { __type: code, message, Message: message }, code),
    own(kind, message) {
      const [code, status] = CODES[kind];
      return new ApiError(code, message, status);
    },
  };
}

function reply(status: number, requestId: string, value: unknown, errorType?: string): Reply {
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': requestId,
      ...(errorType !== undefined && { 'x-amzn-errortype': errorType }),
    },
    body: jsonText(value),
  };
}

function readAsked(
  { method, headers }: RequestHead,
  body: Uint8Array,
  targetPrefix: string,
): Asked {
  const target = headers.get('x-amz-target') ?? '';
  if (method !== 'POST' || !target.startsWith(`${targetPrefix}.`))
    throw new ApiError(
      'UnknownOperationException',
      `The operation is unknown: send a POST with the header X-Amz-Target: ${targetPrefix}.NameOfTheOperation.`,
    );
  return { operation: target.slice(targetPrefix.length + 1), input: readInput(body) };
}

function readInput(body: Uint8Array): Input {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new ApiError('SerializationException', 'The body is not JSON in UTF-8.');
  }
  if (!isTree(value))
    throw new ApiError('SerializationException', 'The body must be a JSON object.');
  return value;
}
