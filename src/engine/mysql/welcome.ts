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
  return okThatTells([...variablesIn(welcome), ...schemaOf(who, welcome)], who, welcome, info);
}

/** The OK that answers COM_CHANGE_USER: of variables it tells nothing. */
export function renewedOk(who: MysqlPrincipal, welcome: MysqlMemory): Uint8Array {
  return okThatTells(schemaOf(who, welcome), who, welcome, '');
}

function okThatTells(
  all: readonly SessionChange[],
  who: MysqlPrincipal,
  welcome: MysqlMemory,
  info: string,
): Uint8Array {
  const { flags } = who.capabilities;
  const isTracking = (flags & capability.sessionTrack) !== 0;
  const changes = isTracking ? all : [];
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

function variablesIn({ announced }: MysqlMemory): readonly SessionChange[] {
  return announced.map((change) =>
    change.kind === NOWHERE_ELSE.kind && change.name === NOWHERE_ELSE.name ? NOWHERE_ELSE : change,
  );
}

function schemaOf({ schema }: MysqlPrincipal, { reports }: MysqlMemory): readonly SessionChange[] {
  return schema === undefined || !reports.schema ? [] : [{ kind: 'schema', name: schema }];
}
