import { ApiError } from '../api-error.ts';
import type { Complaint } from '../service.ts';

// What Secrets Manager answers, in AWS's codes and, where they are known, its words.

export function notFound(what = 'the specified secret.'): ApiError {
  return new ApiError('ResourceNotFoundException', `Secrets Manager can't find ${what}`);
}

export function noValueFor(label: string, what: 'staging label' | 'VersionId'): ApiError {
  return notFound(`the specified secret value for ${what}: ${label}`);
}

export function markedForDeletion(): ApiError {
  return invalidRequest(
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

/** A sentence. */
export function declaredInFile(name: string): string {
  return `The secret ${name} is declared in the settings file of Sluice: change it there, and reload.`;
}

export function invalidRequest(message: string): ApiError {
  return new ApiError('InvalidRequestException', message);
}

export function invalidParameter(message: string): ApiError {
  return new ApiError('InvalidParameterException', message);
}

export function limitExceeded(message: string): ApiError {
  return new ApiError('LimitExceededException', message);
}

export function alreadyExists(message: string): ApiError {
  return new ApiError('ResourceExistsException', message);
}

/** An input that does not fit the schema. */
export function violation({ field, what, isMissing }: Complaint): ApiError {
  const words = isMissing ? 'must not be null' : what;
  const start = '1 validation error detected: Value';
  const where = field === '' ? '' : ` at '${lowerCamel(field)}'`;
  return new ApiError(
    'ValidationException',
    `${start}${where} failed to satisfy constraint: Member ${words}`,
  );
}

function lowerCamel(field: string): string {
  return field
    .split('.')
    .map((step) => step.slice(0, 1).toLowerCase() + step.slice(1))
    .join('.');
}
