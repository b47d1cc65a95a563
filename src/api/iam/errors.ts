import { ApiError } from '../api-error.ts';

/** `what` is a whole sentence, as AWS says it. */
export function noSuchEntity(what: string): ApiError {
  return new ApiError('NoSuchEntity', what, 404);
}

export function alreadyExists(what: string): ApiError {
  return new ApiError('EntityAlreadyExists', what, 409);
}

export function deleteConflict(what: string): ApiError {
  return new ApiError('DeleteConflict', what, 409);
}

export function limitExceeded(what: string): ApiError {
  return new ApiError('LimitExceeded', what, 409);
}

/** A quota by AWS's name, such as `AccessKeysPerUser`. */
export function quotaExceeded(quota: string, most: number): ApiError {
  return limitExceeded(`Cannot exceed quota for ${quota}: ${most}`);
}

/** What nobody here can change, since it is AWS's own. */
export function outsideAccount(): ApiError {
  return new ApiError('AccessDenied', 'Policy is outside your own account.', 403);
}

export function invalidInput(what: string): ApiError {
  return new ApiError('InvalidInput', what);
}

export function malformedDocument(what: string): ApiError {
  return new ApiError('MalformedPolicyDocument', what);
}

export function validationError(what: string): ApiError {
  return new ApiError('ValidationError', what);
}
