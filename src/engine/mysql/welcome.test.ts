import { expect, test } from 'bun:test';
import { clientWith, MODERN } from '../../../test/transcripts/mysql-rig.ts';
import { freshMemory } from '../../../test/transcripts/mysql-visit.ts';
import { readOk } from '../../wire/mysql/ok.ts';
import { readSessionChanges } from '../../wire/mysql/session-track.ts';
import { renewedOk, welcomeOk } from './welcome.ts';

/** What an OK tells of the session: the names of variables, and of the schema. */
function told(ok: Uint8Array): readonly string[] {
  const { sessionState } = readOk(ok, 0, ok.length, MODERN);
  return readSessionChanges(sessionState).map((change) =>
    'name' in change ? `${change.kind} ${change.name}` : change.kind,
  );
}

test("MariaDB's variables are told to who signs in, and to nobody who changes the user (MY-24)", () => {
  const [who, welcome] = [clientWith(MODERN), freshMemory(true)];
  const schema = 'schema app';
  const variables = welcome.announced.flatMap((change) =>
    change.kind === 'systemVariable' ? `systemVariable ${change.name}` : [],
  );
  expect(variables.length).toBeGreaterThan(0);
  expect(told(welcomeOk(who, welcome, ''))).toEqual([...variables, schema]);
  expect(told(renewedOk(who, welcome))).toEqual([schema]);
});
