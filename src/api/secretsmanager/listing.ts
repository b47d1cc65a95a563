import { z } from 'zod';
import type { Secret, SecretStore } from '../../state/secrets.ts';
import { ApiError } from '../api-error.ts';
import type { Call, Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import { flagField, listField, pageToken, secretId, wholeField } from './fields.ts';
import { filterList, fits } from './filters.ts';
import { permitted } from './access.ts';
import type { Position } from './pages.ts';
import { pageOf } from './pages.ts';
import { invalidParameter, violation } from './problems.ts';
import { dateOf, describe, stagesOf } from './shapes.ts';
import { readValue } from './values.ts';

const MOST_LISTED = 100;
const MOST_VALUES = 20;

const orders = ['created-date', 'last-accessed-date', 'last-changed-date', 'name'] as const;

export function listingOperations(secrets: SecretStore): Readonly<Record<string, Operation>> {
  return {
    ListSecrets: listSecrets(secrets),
    BatchGetSecretValue: batchGetSecretValue(secrets),
    ListSecretVersionIds: listSecretVersionIds(secrets),
  };
}

function listSecrets(secrets: SecretStore): Operation {
  const schema = z.object({
    IncludePlannedDeletion: flagField(),
    Filters: filterList,
    SortBy: z.enum(orders, { error: `must be one of ${orders.join(', ')}` }).optional(),
    SortOrder: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).optional(),
    MaxResults: wholeField(1, MOST_LISTED).optional(),
    NextToken: pageToken,
  });
  return operation(
    schema,
    (input, call) => {
      call.authorize('secretsmanager:ListSecrets', '*');
      const { SortBy: by = 'created-date', SortOrder: order = 'asc' } = input;
      const found = secrets
        .all()
        .filter(
          (secret) =>
            (secret.deletionMs === undefined || input.IncludePlannedDeletion === true) &&
            fits(secret, input.Filters ?? []),
        );
      const { items, nextToken } = pageOf(found, (secret) => placeOf(secret, by), {
        list: `secrets ${by} ${order}`,
        token: input.NextToken,
        most: input.MaxResults ?? MOST_LISTED,
        isDescending: order === 'desc',
      });
      return {
        SecretList: items.map((secret) =>
          describe(secret, { SecretVersionsToStages: stagesOf(secrets, secret.arn) }),
        ),
        NextToken: nextToken,
      };
    },
    violation,
  );
}

function placeOf(secret: Secret, by: (typeof orders)[number]): Position {
  switch (by) {
    case 'created-date':
      return [secret.createdMs, secret.name];
    case 'last-accessed-date':
      return [secret.accessedMs ?? 0, secret.name];
    case 'last-changed-date':
      return [secret.changedMs, secret.name];
    case 'name':
      return [secret.name, ''];
  }
}

function batchGetSecretValue(secrets: SecretStore): Operation {
  const schema = z.object({
    SecretIdList: listField(secretId, 1, MOST_VALUES).optional(),
    Filters: filterList,
    MaxResults: wholeField(1, MOST_VALUES).optional(),
    NextToken: pageToken,
  });
  return operation(
    schema,
    (input, call) => {
      call.authorize('secretsmanager:BatchGetSecretValue', '*');
      const { SecretIdList: ids, Filters: filters = [] } = input;
      if (ids !== undefined) {
        if (filters.length > 0 || input.MaxResults !== undefined || input.NextToken !== undefined)
          throw invalidParameter(
            'SecretIdList cannot be given together with Filters, MaxResults or NextToken.',
          );
        return valuesOf(secrets, ids, call);
      }
      if (filters.length === 0) throw invalidParameter('Give either SecretIdList or Filters.');
      call.authorize('secretsmanager:ListSecrets', '*');
      const { items, nextToken } = pageOf(
        secrets.all().filter((one) => one.deletionMs === undefined && fits(one, filters)),
        ({ createdMs, name }) => [createdMs, name],
        { list: 'values', token: input.NextToken, most: input.MaxResults ?? MOST_VALUES },
      );
      const arns = items.map(({ arn }) => arn);
      return { ...valuesOf(secrets, arns, call), NextToken: nextToken };
    },
    violation,
  );
}

/** Of each one its value, or why not. */
function valuesOf(secrets: SecretStore, ids: readonly string[], call: Call): Output {
  const values: Output[] = [];
  const errors: Output[] = [];
  for (const id of ids) {
    try {
      values.push(readValue(secrets, { SecretId: id }, call));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues: values, Errors: errors };
}

function listSecretVersionIds(secrets: SecretStore): Operation {
  const schema = z.object({
    SecretId: secretId,
    IncludeDeprecated: flagField(),
    MaxResults: wholeField(1, MOST_LISTED).optional(),
    NextToken: pageToken,
  });
  return operation(
    schema,
    (input, call) => {
      const secret = permitted(secrets, call, 'ListSecretVersionIds', input.SecretId);
      const found = secrets
        .versions(secret.arn)
        .filter(({ stages }) => stages.length > 0 || input.IncludeDeprecated === true);
      const { items, nextToken } = pageOf(found, ({ number }) => [number, ''], {
        list: `versions ${secret.arn}`,
        token: input.NextToken,
        most: input.MaxResults ?? MOST_LISTED,
      });
      return {
        ARN: secret.arn,
        Name: secret.name,
        Versions: items.map((version) => ({
          VersionId: version.versionId,
          VersionStages: version.stages.length === 0 ? undefined : version.stages,
          CreatedDate: dateOf(version.createdMs),
          LastAccessedDate: dateOf(version.accessedMs),
          KmsKeyIds: [secret.kmsKeyId ?? 'DefaultEncryptionKey'],
        })),
        NextToken: nextToken,
      };
    },
    violation,
  );
}
