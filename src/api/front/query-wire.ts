import type { RequestHead } from '../../auth/sigv4.ts';
import { ApiError } from '../api-error.ts';
import { MalformedForm, readForm } from '../query-form.ts';
import type { Input } from '../service.ts';
import type { Asked, OwnError, Reply, Wire } from './wire.ts';
import { element } from './xml.ts';

// The Query protocol: a form comes in, XML goes out.

const FORM = 'application/x-www-form-urlencoded';

const CODES: Readonly<Record<OwnError, readonly [code: string, status: number]>> = {
  unsigned: ['MissingAuthenticationToken', 403],
  incomplete: ['IncompleteSignature', 400],
  unknownKey: ['InvalidClientTokenId', 403],
  expiredKey: ['ExpiredToken', 403],
  mismatch: ['SignatureDoesNotMatch', 403],
  denied: ['AccessDenied', 403],
  unknownOperation: ['InvalidAction', 400],
  tooLarge: ['RequestEntityTooLarge', 413],
  throttled: ['Throttling', 400],
  failure: ['InternalFailure', 500],
};

/** Without a namespace where it is not known which service is meant. */
export function queryWire(version?: string, namespace?: string): Wire {
  return {
    read: (head, body) => readAsked(readInput(head, body), version),
    result: (operation, output, requestId) =>
      reply(200, requestId, namespace, `${operation}Response`, {
        [`${operation}Result`]: output,
        ResponseMetadata: { RequestId: requestId },
      }),
    error: ({ code, message, status }, requestId) =>
      reply(status, requestId, namespace, 'ErrorResponse', {
        Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
        RequestId: requestId,
      }),
    own(kind, message) {
      const [code, status] = CODES[kind];
      return new ApiError(code, message, status);
    },
  };
}

function reply(
  status: number,
  requestId: string,
  namespace: string | undefined,
  root: string,
  tree: Readonly<Record<string, unknown>>,
): Reply {
  const node = element(root, tree);
  if (namespace !== undefined) node.addAttribute('xmlns', namespace);
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: node.toString(),
  };
}

/** The parameters stand in the URL, in the body, or in both: a name in both is one that is given twice. */
function readInput({ method, query, headers }: RequestHead, body: Uint8Array): Input {
  if (method !== 'POST' && method !== 'GET')
    throw new ApiError(
      'UnsupportedHttpVerb',
      `The HTTP verb ${method.slice(0, 20)} is not supported: use POST.`,
      405,
    );
  const type = headers.get('content-type') ?? FORM;
  if (body.length > 0 && !type.toLowerCase().startsWith(FORM))
    throw malformed(`the body must be a form, with the content type ${FORM}`);
  try {
    const form = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return readForm([query, form].filter((part) => part !== '').join('&'));
  } catch (error) {
    throw malformed(error instanceof MalformedForm ? error.message : 'the body is not UTF-8');
  }
}

function malformed(what: string): ApiError {
  return new ApiError(
    'MalformedQueryString',
    `The query string contains a syntax error: ${what}.`,
    404,
  );
}

function readAsked(form: Input, version: string | undefined): Asked {
  const { Action: operation, Version: given, ...input } = form;
  if (typeof operation !== 'string' || operation === '')
    throw new ApiError('MissingAction', 'The request must contain the parameter Action.');
  if (given !== undefined && given !== version)
    throw new ApiError(
      'InvalidAction',
      `Could not find operation ${operation.slice(0, 128)} for the version that is asked for: this is version ${version}.`,
    );
  return { operation, input };
}
