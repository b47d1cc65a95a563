import type { Service } from '../service.ts';
import { databaseOperations } from './databases.ts';
import { endpointOperations } from './endpoints.ts';
import { eventOperations } from './events.ts';
import type { RdsParts } from './parts.ts';
import { proxyOperations } from './proxies.ts';
import { registeringOperations } from './registering.ts';
import { tagOperations } from './tags.ts';
import { groupOperations } from './target-groups.ts';
import { targetOperations } from './targets.ts';

/** Amazon RDS as far as it is about DB proxies: the Query API of 2014-10-31. */
export function rdsService(parts: RdsParts): Service {
  return {
    name: 'rds',
    protocol: {
      kind: 'query',
      version: '2014-10-31',
      namespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
    },
    operations: {
      ...proxyOperations(parts),
      ...groupOperations(parts),
      ...targetOperations(parts),
      ...endpointOperations(parts),
      ...tagOperations(parts),
      ...databaseOperations(parts),
      ...registeringOperations(parts),
      ...eventOperations(parts),
    },
  };
}
