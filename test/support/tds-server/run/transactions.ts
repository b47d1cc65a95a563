import type { Statement } from '../sql/ast.ts';
import { errors } from '../types/errors.ts';
import { command } from '../wire/reply.ts';
import type { Change } from './change.ts';
import { compile } from './compile.ts';
import type { Context } from './context.ts';

/** BEGIN, COMMIT, ROLLBACK and SAVE TRANSACTION. */
export function runTransactionStatement(
  { kind, name }: Statement & { readonly kind: 'begin' | 'commit' | 'rollback' | 'save' },
  context: Context,
): Change {
  const { session } = context;
  const label =
    name === undefined ? undefined : String(compile(name, context, undefined).get() ?? '');
  switch (kind) {
    case 'begin':
      session.begin();
      if (label !== undefined && session.transactionCount === 1) session.transaction?.call(label);
      return { command: command.begin, count: -1 };
    case 'commit':
      session.commit();
      return { command: command.commit, count: -1 };
    case 'save':
      if (session.transaction === undefined) throw errors.noSaveOutside();
      session.transaction.save(label ?? '');
      return { command: command.none, count: -1 };
    case 'rollback':
      rollback(label, context);
      return { command: command.rollback, count: -1 };
  }
}

/** To a savepoint, or of all. The name of the outermost BEGIN is of all. */
export function rollback(label: string | undefined, { session }: Context): void {
  const { transaction } = session;
  if (transaction === undefined) throw errors.noRollback();
  if (label === undefined || label === '') {
    session.rollback();
    return;
  }
  const isOutermost = transaction.isNamed(label);
  if (isOutermost) session.rollback();
  else if (!transaction.backToSaved(label)) throw errors.noSave(label);
}
