import type { RefusalKind, RequestHead } from '../../auth/sigv4.ts';
import type { ApiError } from '../api-error.ts';
import type { Input, Output, Service } from '../service.ts';

/** A body, and what must be said about it. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Asked {
  /** Such as `CreateDBProxy`; there may be no such operation. */
  readonly operation: string;
  readonly input: Input;
}

/** What the front itself has to say, beyond what operations say. */
export type OwnError =
  | RefusalKind
  | 'denied'
  | 'unknownOperation'
  | 'tooLarge'
  | 'throttled'
  | 'failure';

/** How one service is spoken to, and speaks. */
export interface Wire {
  /** Throws an ApiError where it cannot be read. */
  read(head: RequestHead, body: Uint8Array): Asked;
  result(operation: string, output: Output, requestId: string): Reply;
  error(error: ApiError, requestId: string): Reply;
  own(kind: OwnError, message: string): ApiError;
}

export type Protocol = Service['protocol'];
