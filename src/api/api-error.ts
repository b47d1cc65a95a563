/**
 * What an operation answers instead of a result: the service's own code, as SDKs know it, and a sentence that says what, where and
 * how to mend it. Nothing secret is in it.
 */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status: 400 where it is the caller's fault, unless AWS has another one for the code. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}
