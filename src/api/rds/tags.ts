import { z } from 'zod';
import { memberList } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import type { ResourceKind } from '../../state/rds-names.ts';
import { readArn } from '../../state/rds-names.ts';
import type { Tag } from '../../state/rds-tags.ts';
import type { ProxyStore } from '../../state/proxies.ts';
import {
  clusterNotFound,
  complain,
  endpointNotFound,
  groupNotFound,
  instanceNotFound,
  invalidValue,
  proxyNotFound,
} from './faults.ts';
import type { TagInput } from './inputs.ts';
import { tags } from './inputs.ts';
import type { RdsParts } from './parts.ts';
import { authorize } from './parts.ts';

const MOST_TAGS = 50;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * The tag by which proxies and endpoints tell their port, which AWS has no field for. Terraform and CloudFormation leave out tags of
 * `aws:`; any other would be a difference to them that they try to mend.
 */
export const PORT_TAG = 'aws:sluice:port';

/** Nobody but us can set these. */
const RESERVED = ['aws:', 'rds:', 'sluice:'];

/** AddTagsToResource, RemoveTagsFromResource, ListTagsForResource. */
export function tagOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  const { proxies } = parts;
  return {
    AddTagsToResource: operation(
      z.object({ ResourceName: z.string(), Tags: tags.unwrap() }),
      ({ ResourceName: arn, Tags: given }, call) => {
        const { kind, key } = readName(parts, arn);
        authorize(parts, call, 'AddTagsToResource', kind, key);
        mustExist(proxies, kind, key);
        const added = readTags(given);
        const keys = [...proxies.tags.of(arn), ...added].map((one) => one.key);
        if (new Set(keys).size > MOST_TAGS)
          throw invalidValue(`A resource can have at most ${MOST_TAGS} tags.`);
        proxies.tags.add(arn, added);
        return {};
      },
      complain,
    ),

    RemoveTagsFromResource: operation(
      z.object({ ResourceName: z.string(), TagKeys: memberList(z.string()).unwrap() }),
      ({ ResourceName: arn, TagKeys: keys }, call) => {
        const { kind, key } = readName(parts, arn);
        authorize(parts, call, 'RemoveTagsFromResource', kind, key);
        mustExist(proxies, kind, key);
        for (const one of keys) mustNotBeReserved(one);
        proxies.tags.remove(arn, keys);
        return {};
      },
      complain,
    ),

    ListTagsForResource: operation(
      z.object({ ResourceName: z.string() }),
      ({ ResourceName: arn }, call) => {
        const { kind, key } = readName(parts, arn);
        authorize(parts, call, 'ListTagsForResource', kind, key);
        mustExist(proxies, kind, key);
        return { TagList: tagList([...portTags(parts, kind, key), ...proxies.tags.of(arn)]) };
      },
      complain,
    ),
  };
}

export function tagList(tags: readonly Tag[]): Output {
  return { Tag: tags.map(({ key, value }) => ({ Key: key, Value: value })) };
}

/** Throws InvalidParameterValue. */
export function readTags(given: readonly TagInput[]): readonly Tag[] {
  const keys = new Set<string>();
  return given.map(({ Key: key, Value: value = '' }) => {
    if (key === '' || key.length > LONGEST_KEY || !CHARACTERS.test(key))
      throw invalidValue(
        `A tag's key must have 1 to ${LONGEST_KEY} letters, digits, spaces and the characters _.:/=+-@.`,
      );
    if (value.length > LONGEST_VALUE || !CHARACTERS.test(value))
      throw invalidValue(
        `The value of the tag ${key} must have at most ${LONGEST_VALUE} letters, digits, spaces and the characters _.:/=+-@.`,
      );
    mustNotBeReserved(key);
    if (keys.has(key)) throw invalidValue(`The tag ${key} is given twice.`);
    keys.add(key);
    return { key, value };
  });
}

function mustNotBeReserved(key: string): void {
  const prefix = RESERVED.find((one) => key.toLowerCase().startsWith(one));
  if (prefix !== undefined)
    throw invalidValue(`Tag keys that begin with ${prefix} are reserved: rename the tag ${key}.`);
}

function readName(parts: RdsParts, arn: string) {
  const read = readArn(parts.proxies.place, arn);
  if (read === undefined)
    throw invalidValue(
      'The specified resource name does not match an RDS resource in this region.',
    );
  return read;
}

function mustExist(proxies: ProxyStore, kind: ResourceKind, key: string): void {
  const { databases } = proxies;
  switch (kind) {
    case 'proxy':
      if (proxies.findById(key) === undefined) throw proxyNotFound(key);
      return;
    case 'group':
      if (proxies.findByGroupId(key) === undefined) throw groupNotFound(key);
      return;
    case 'endpoint':
      if (proxies.findEndpointById(key) === undefined) throw endpointNotFound(key);
      return;
    // Tags hang on ARNs, which are compared letter by letter, as policies compare them.
    case 'database':
      if (databases.find(key)?.identifier !== key) throw instanceNotFound(key);
      return;
    case 'cluster':
      if (databases.findCluster(key)?.identifier !== key) throw clusterNotFound(key);
  }
}

function portTags(parts: RdsParts, kind: ResourceKind, key: string): readonly Tag[] {
  const { proxies } = parts;
  const endpoint = kind === 'endpoint' ? proxies.findEndpointById(key) : undefined;
  const id = kind === 'proxy' ? key : endpoint?.proxyId;
  const port = endpoint?.listenPort ?? (id === undefined ? undefined : proxyPort(parts, id));
  return port === undefined || port === 0 ? [] : [{ key: PORT_TAG, value: String(port) }];
}

function proxyPort({ proxies, dataPlane }: RdsParts, id: string): number | undefined {
  return dataPlane.statusOf(id).port ?? proxies.findById(id)?.listenPort;
}
