import type { Context } from '../run/context.ts';
import type { Given, SystemProcedure } from '../run/execute.ts';
import type { Wait, Work } from '../run/wait.ts';
import { SqlError } from '../types/errors.ts';
import { ApplicationLocks } from '../session/app-locks.ts';
import { argument, numberOf, textOf } from './arguments.ts';

const isTransactionOwner = (given: readonly Given[], place: number): boolean =>
  !/^session$/i.test(textOf(argument(given, 'lockowner', place)));

function released({ engine }: Context, limitMs: number): Wait {
  return {
    why: 'lock',
    begin(resume) {
      const timer = limitMs < 0 ? undefined : setTimeout(resume, limitMs);
      const stop = engine.applicationLocks.afterRelease(resume);
      return () => {
        clearTimeout(timer);
        stop();
      };
    },
  };
}

function* getApplicationLock(given: readonly Given[], context: Context): Work<number> {
  const { engine, session } = context;
  const resource = textOf(argument(given, 'resource', 0));
  const mode = textOf(argument(given, 'lockmode', 1));
  const isOfTransaction = isTransactionOwner(given, 2);
  if (!ApplicationLocks.isMode(mode) || (isOfTransaction && session.transaction === undefined))
    return -999;
  const limitMs = numberOf(argument(given, 'locktimeout', 3), session.options.lockTimeout);
  if (engine.applicationLocks.take(session, resource, mode, isOfTransaction)) return 0;
  const endMs = engine.nowMs() + limitMs;
  for (;;) {
    const left = limitMs < 0 ? -1 : endMs - engine.nowMs();
    if (limitMs >= 0 && left <= 0) return -1;
    yield released(context, left);
    if (engine.applicationLocks.take(session, resource, mode, isOfTransaction)) return 1;
  }
}

function releaseApplicationLock(given: readonly Given[], { engine, session }: Context): number {
  const resource = textOf(argument(given, 'resource', 0));
  if (!engine.applicationLocks.release(session, resource, isTransactionOwner(given, 1)))
    throw new SqlError(
      1223,
      `Cannot release the application lock (Database Principal: 'public', Resource: '${resource}') because it is not currently held.`,
      16,
      1,
    );
  return 0;
}

function setSessionContext(given: readonly Given[], { session }: Context): number {
  const key = textOf(argument(given, 'key', 0));
  const value = argument(given, 'value', 1);
  const isReadOnly = numberOf(argument(given, 'read_only', 2)) === 1;
  if (session.sessionContext.get(key)?.isReadOnly === true)
    throw new SqlError(
      15_664,
      `Cannot set key '${key}' in the session context. The key has been set as read_only for this session.`,
      16,
      1,
    );
  if (value === undefined || value.value === null) session.sessionContext.delete(key);
  else session.sessionContext.set(key, { value: value.value, isReadOnly });
  return 0;
}

function resetConnection(_given: readonly Given[], { session }: Context): number {
  session.reset(false);
  return 0;
}

function setApplicationRole(given: readonly Given[], { session }: Context): number {
  session.userName = textOf(argument(given, 'rolename', 0));
  return 0;
}

function nothing(): number {
  return 0;
}

export const sessionProcedures: Readonly<Record<string, SystemProcedure>> = {
  sp_getapplock: getApplicationLock,
  sp_releaseapplock: releaseApplicationLock,
  sp_set_session_context: setSessionContext,
  sp_reset_connection: resetConnection,
  sp_setapprole: setApplicationRole,
  sp_addextendedproperty: nothing,
  sp_updatestats: nothing,
};
