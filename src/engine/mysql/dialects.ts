import { Known } from '../../base/known.ts';
import type { MysqlMemory } from './memory.ts';
import type { Dialect } from './sql/dialect.ts';
import { dialectOf } from './sql/dialect.ts';
import type { Beginning, SessionState } from './state.ts';
import { charsetIn, CLIENT } from './state.ts';
import type { TargetGreeting } from './target.ts';

interface Finding {
  readonly beginning: Beginning;
  readonly target: TargetGreeting;
  readonly dialect: Dialect;
}

/** What was found last, as most sessions are alike; what was for each state; and all that there are, so that equal ones are one object. */
let latest: { readonly state: SessionState; readonly finding: Finding } | undefined;
const last = new WeakMap<SessionState, Finding>();
const dialects = new Known<string, Dialect>(64);

/** How the database reads the texts of a session in this state, on a connection like this. */
export function dialectIn(
  state: SessionState,
  like: Pick<MysqlMemory, 'beginning' | 'target'>,
): Dialect {
  if (latest?.state === state && isOf(latest.finding, like)) return latest.finding.dialect;
  let finding = last.get(state);
  if (finding === undefined || !isOf(finding, like)) {
    finding = find(state, like);
    last.set(state, finding);
  }
  latest = { state, finding };
  return finding.dialect;
}

function isOf(
  finding: Finding,
  { beginning, target }: Pick<MysqlMemory, 'beginning' | 'target'>,
): boolean {
  return finding.beginning === beginning && finding.target === target;
}

function find(
  state: SessionState,
  { beginning, target }: Pick<MysqlMemory, 'beginning' | 'target'>,
): Finding {
  const valueOf = (name: string): string =>
    (state.values.get(name) ?? beginning.get(name) ?? '').replaceAll("'", '');
  const { isMariaDb: isMariadb, version } = target;
  // Where names of tables are not the same in other letters, they are not taken for the same.
  const traits = { isMariadb, version, foldsTableNames: false };
  const found = dialectOf(traits, valueOf('sql_mode'), charsetIn(valueOf(CLIENT)));
  const dialect = dialects.of(JSON.stringify(found), () => found);
  return { beginning, target, dialect };
}
