import { capability } from '../../wire/mysql/capabilities.ts';
import { ok } from '../../wire/mysql/ok.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import { sessionState } from '../../wire/mysql/session-track.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import type { MysqlMemory } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';

/** MariaDB tells clients where else they might go: past us, that is. */
const NOWHERE_ELSE = { kind: 'systemVariable', name: 'redirect_url', value: '' } as const;

/**
 * The OK that lets a client in, as the database would say it: MariaDB's tells the variables that it tracks, and both families
 * tell the schema. @param info empty for none
 */
export function welcomeOk(who: MysqlPrincipal, welcome: MysqlMemory, info: string): Uint8Array {
  const { flags } = who.capabilities;
  const isTracking = (flags & capability.sessionTrack) !== 0;
  const changes = isTracking ? changesFor(who, welcome) : [];
  const { sessionStateChanged, inTransaction } = serverStatus;
  const status = welcome.firstStatus & ~(sessionStateChanged | inTransaction);
  return ok(
    {
      affectedRows: 0n,
      lastInsertId: 0n,
      status: changes.length === 0 ? status : status | sessionStateChanged,
      warnings: 0,
      info,
      sessionState: sessionState(changes),
    },
    flags,
  );
}

function changesFor(who: MysqlPrincipal, welcome: MysqlMemory): readonly SessionChange[] {
  const { announced, reports } = welcome;
  const variables: readonly SessionChange[] = announced.map((change) =>
    change.kind === NOWHERE_ELSE.kind && change.name === NOWHERE_ELSE.name ? NOWHERE_ELSE : change,
  );
  if (who.schema === undefined || !reports.schema) return variables;
  return [...variables, { kind: 'schema', name: who.schema }];
}
