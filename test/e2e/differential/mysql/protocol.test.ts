import { afterAll, beforeAll, describe, test } from 'bun:test';
import { capability } from '../../../../src/wire/mysql/capabilities.ts';
import { mysqlReleasesHere } from '../../../support/mysql.ts';
import { plainClient } from '../../../support/mysql-client.ts';
import { files, protocolScripts } from './protocol-scripts.ts';
import { MysqlTwins } from './twins.ts';

/** Clients as they are: of today, of old, and one that hears of everything. */
const clients = {
  'of today': plainClient.flags,
  'of old': plainClient.flags & ~capability.deprecateEof,
  'that hears of changes': plainClient.flags | capability.sessionTrack,
} as const;

for (const release of await mysqlReleasesHere()) {
  describe(`the protocol of ${release}, directly and through Sluice`, () => {
    let twins: MysqlTwins;
    beforeAll(async () => {
      twins = await MysqlTwins.open(release);
    });
    afterAll(() => twins.close());

    for (const [name, script] of Object.entries(protocolScripts)) {
      for (const [client, flags] of Object.entries(clients)) {
        test(`${name}, with a client ${client}`, () =>
          twins.expectSame(script, 'app', { files, capabilities: { flags, extensions: 0 } }));
      }
    }
  });
}
