import { ApiError } from '../api-error.ts';
import type { Complaint } from '../service.ts';

// Codes, statuses and, where they are known, words of AWS.

const NOT_FOUND = 404;
const HERE =
  'owned by your Amazon Web Services account in the specified Amazon Web Services Region.';

/** What is wrong with a parameter. */
export function complain({ field, what, isMissing }: Complaint): ApiError {
  if (isMissing)
    return new ApiError('MissingParameter', `The request must contain the parameter ${field}.`);
  const sentence = what.endsWith('.') ? what : `${what}.`;
  return invalidValue(field === '' ? sentence : `The parameter ${field} ${sentence}`);
}

export function invalidValue(message: string): ApiError {
  return new ApiError('InvalidParameterValue', message);
}

export function invalidCombination(message: string): ApiError {
  return new ApiError('InvalidParameterCombination', message);
}

export function proxyNotFound(name: string): ApiError {
  return new ApiError(
    'DBProxyNotFoundFault',
    `The specified proxy name ${name} doesn't correspond to a proxy ${HERE}`,
    NOT_FOUND,
  );
}

export function proxyAlreadyExists(): ApiError {
  return new ApiError(
    'DBProxyAlreadyExistsFault',
    `The specified proxy name must be unique for all proxies ${HERE}`,
  );
}

export function proxyQuotaExceeded(message: string): ApiError {
  return new ApiError('DBProxyQuotaExceededFault', message);
}

export function invalidProxyState(message: string): ApiError {
  return new ApiError('InvalidDBProxyStateFault', message);
}

export function groupNotFound(name: string): ApiError {
  return new ApiError(
    'DBProxyTargetGroupNotFoundFault',
    `The specified target group ${name} isn't available for a proxy ${HERE}`,
    NOT_FOUND,
  );
}

export function targetNotFound(identifier: string): ApiError {
  return new ApiError(
    'DBProxyTargetNotFoundFault',
    `The specified RDS DB instance or Aurora DB cluster ${identifier} isn't available for a proxy ${HERE}`,
    NOT_FOUND,
  );
}

export function targetAlreadyRegistered(message: string): ApiError {
  return new ApiError('DBProxyTargetAlreadyRegisteredFault', message);
}

export function endpointNotFound(name: string): ApiError {
  return new ApiError(
    'DBProxyEndpointNotFoundFault',
    `The DB proxy endpoint ${name} doesn't exist.`,
    NOT_FOUND,
  );
}

export function endpointAlreadyExists(): ApiError {
  return new ApiError(
    'DBProxyEndpointAlreadyExistsFault',
    `The specified DB proxy endpoint name must be unique for all DB proxy endpoints ${HERE}`,
  );
}

export function endpointQuotaExceeded(message: string): ApiError {
  return new ApiError('DBProxyEndpointQuotaExceededFault', message);
}

export function invalidEndpointState(name: string): ApiError {
  return new ApiError(
    'InvalidDBProxyEndpointStateFault',
    `You can't perform this operation while the DB proxy endpoint ${name} is being deleted.`,
  );
}

export function invalidSubnet(message: string): ApiError {
  return new ApiError('InvalidSubnet', message);
}

export function instanceNotFound(identifier: string): ApiError {
  return new ApiError('DBInstanceNotFound', `DBInstance ${identifier} not found.`, NOT_FOUND);
}

export function clusterNotFound(identifier: string): ApiError {
  return new ApiError('DBClusterNotFoundFault', `DBCluster ${identifier} not found.`, NOT_FOUND);
}

export function invalidInstanceState(message: string): ApiError {
  return new ApiError('InvalidDBInstanceState', message);
}

export function instanceQuotaExceeded(most: number): ApiError {
  return new ApiError(
    'InstanceQuotaExceeded',
    `There are ${most} databases already, which is the most: deregister one that is no longer needed.`,
  );
}

export function invalidClusterState(message: string): ApiError {
  return new ApiError('InvalidDBClusterStateFault', message);
}
