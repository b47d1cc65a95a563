import { Known } from '../../base/known.ts';
import type { MysqlMemory } from './memory.ts';
import type { Dialect } from './sql/dialect.ts';
import { dialectOf } from './sql/dialect.ts';
import type { Beginning, SessionState } from './state.ts';
import type { TargetGreeting } from './target.ts';

interface Finding {
  readonly beginning: Beginning;
  readonly target: TargetGreeting;
  readonly dialect: Dialect;
}

/** What was found last for each state; and all that there are, so that equal ones are one object. */
const last = new WeakMap<SessionState, Finding>();
const dialects = new Known<string, Dialect>(64);

/** How the database reads the texts of a session in this state, on a connection like this. */
export function dialectIn(
  state: SessionState,
  { beginning, target }: Pick<MysqlMemory, 'beginning' | 'target'>,
): Dialect {
  const known = last.get(state);
  if (known?.beginning === beginning && known.target === target) return known.dialect;
  const valueOf = (name: string): string =>
    (state.values.get(name) ?? beginning.get(name) ?? '').replaceAll("'", '');
  const { isMariaDb: isMariadb, version } = target;
  // Where names of tables are not the same in other letters, they are not taken for the same.
  const traits = { isMariadb, version, foldsTableNames: false };
  const found = dialectOf(traits, valueOf('sql_mode'), valueOf('character_set_client'));
  const dialect = dialects.of(JSON.stringify(found), () => found);
  last.set(state, { beginning, target, dialect });
  return dialect;
}
