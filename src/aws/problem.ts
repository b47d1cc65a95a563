/**
 * Why AWS has not done what was asked:
 *
 * - `denied`: whoever asked may not; the message names the permission
 * - `missing`: there is no such thing
 * - `credentials`: there are none, or AWS does not accept them
 * - `unavailable`: AWS cannot be reached, or has no time
 */
export type ProblemKind = 'denied' | 'missing' | 'credentials' | 'unavailable' | 'other';

/** Something that was asked of AWS and not done, as a sentence for people without anything secret in it. */
export class AwsProblem extends Error {
  override readonly name = 'AwsProblem';
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const names: ReadonlyMap<string, ProblemKind> = new Map([
  ['AccessDenied', 'denied'],
  ['AccessDeniedException', 'denied'],
  ['UnauthorizedOperation', 'denied'],
  ['ResourceNotFoundException', 'missing'],
  // Secrets Manager's word for one that is to be deleted.
  ['InvalidRequestException', 'missing'],
  ['DBInstanceNotFound', 'missing'],
  ['DBInstanceNotFoundFault', 'missing'],
  ['DBClusterNotFoundFault', 'missing'],
  ['CredentialsProviderError', 'credentials'],
  ['ExpiredToken', 'credentials'],
  ['ExpiredTokenException', 'credentials'],
  ['IncompleteSignature', 'credentials'],
  ['InvalidClientTokenId', 'credentials'],
  ['InvalidSignatureException', 'credentials'],
  ['MissingAuthenticationToken', 'credentials'],
  ['SignatureDoesNotMatch', 'credentials'],
  ['TokenProviderError', 'credentials'],
  ['UnrecognizedClientException', 'credentials'],
  ['TimeoutError', 'unavailable'],
]);

/** What was asked for, for people. */
export interface Asked {
  /** `the secret app`, with which the sentence begins. */
  readonly about: string;
  /** Such as `secretsmanager:GetSecretValue`. */
  readonly permission: string;
  /** Such as `AWS Secrets Manager at http://127.0.0.1:8080`. */
  readonly service: string;
}

/** @param error whatever the SDK has thrown */
export function problemOf(error: unknown, { about, permission, service }: Asked): AwsProblem {
  if (error instanceof AwsProblem) return error;
  const kind = kindOf(error);
  const said = wordsOf(error);
  switch (kind) {
    case 'denied': {
      // AWS names what is missing; of what stands in for it that is not certain.
      const needed = said.includes(permission) || said.includes('sts:') ? '' : ` (${permission})`;
      return new AwsProblem(kind, `${about}: AWS does not allow to ask for it${needed}: ${said}`);
    }
    case 'credentials':
      return new AwsProblem(kind, `${about}: there are no credentials that AWS accepts: ${said}`);
    case 'unavailable':
      return new AwsProblem(kind, `${about}: ${service} cannot be reached: ${said}`);
    case 'missing':
    case 'other':
      return new AwsProblem(kind, `${about}: ${said}`);
  }
}

/** Codes of the system, and Bun's own names for them. */
const UNREACHABLE =
  /^(?:E(?:CONN|HOST|NET|AI_|PIPE|TIMEDOUT)|ENOTFOUND|Connection|FailedToOpenSocket|Timeout|UnableToConnect|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS)/;

function kindOf(error: unknown): ProblemKind {
  if (!(error instanceof Error)) return 'other';
  const named = names.get(error.name);
  if (named !== undefined) return named;
  if (UNREACHABLE.test(codeOf(error) ?? '')) return 'unavailable';
  const status = statusOf(error);
  if (status === undefined) return 'other';
  return status >= 500 || status === 429 || /thrott/i.test(error.name) ? 'unavailable' : 'other';
}

/**
 * AWS's own sentence, or the system's code. Nothing else is passed on: what an answer that is none came to might be quoted there.
 */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the SDK has failed';
  const code = codeOf(error);
  if (names.has(error.name) || isService(error))
    return error.message === '' ? error.name : error.message;
  return code ?? 'the answer is not understood';
}

function isService(error: Error): boolean {
  return '$fault' in error && statusOf(error) !== undefined;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  return 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number'
    ? metadata.httpStatusCode
    : undefined;
}
