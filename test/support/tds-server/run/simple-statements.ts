import { keyName } from '../data/database.ts';
import {
  ansiDefaults,
  isolationLevels,
  languages,
  optionBits,
  otherSwitches,
} from '../session/options.ts';
import type { Statement } from '../sql/ast.ts';
import { convert, toText } from '../types/convert.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { Value } from '../types/sql-type.ts';
import { int, nvarchar, varbinary } from '../types/sql-type.ts';
import { command, envChange } from '../wire/reply.ts';
import type { Change } from './change.ts';
import { compile } from './compile.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import { buildTable, required } from './define.ts';
import type { Work } from './wait.ts';
import { delay } from './wait.ts';

type Of<K extends Statement['kind']> = Statement & { readonly kind: K };

const quiet: Change = { command: command.set, count: -1 };

/** DECLARE and SET of variables, which tell nothing. */
export function runDeclare(statement: Of<'declare' | 'setVariable'>, context: Context): undefined {
  const { scope, session } = context;
  if (statement.kind === 'setVariable') {
    const variable = scope.variable(statement.name);
    variable.value = casted(compile(statement.value, context, undefined), variable.type).get();
    session.rowCount = 1;
    return undefined;
  }
  for (const { name, type, table, tableType, value } of statement.variables) {
    if (type !== undefined) {
      const initial =
        value === undefined ? null : casted(compile(value, context, undefined), type).get();
      scope.declare(name, type, initial);
      continue;
    }
    let definition = table;
    if (tableType !== undefined) {
      const known = session.database.types.get(
        keyName(tableType.at(-2) ?? 'dbo', tableType.at(-1) ?? ''),
      );
      if (known === undefined) throw errors.noType(tableType.join('.'));
      definition = known.definition;
    }
    if (definition !== undefined)
      scope.tables.set(
        name,
        buildTable(definition, context, { database: 'tempdb', schema: 'dbo', name }),
      );
  }
  return undefined;
}

export function runSetting(
  statement: Of<'setOption' | 'identityInsert' | 'use' | 'executeAs' | 'revert'>,
  context: Context,
): Change | undefined {
  const { session } = context;
  switch (statement.kind) {
    case 'use':
      useDatabase(statement.database, context);
      return { command: command.none, count: -1 };
    case 'identityInsert': {
      const table = required(statement.table, context);
      session.options = {
        ...session.options,
        identityInsert: statement.isOn ? table.fullName.toLowerCase() : undefined,
      };
      return quiet;
    }
    case 'executeAs':
      session.impersonated.push(session.userName);
      if (statement.name !== undefined)
        session.userName = String(compile(statement.name, context, undefined).get() ?? '');
      return quiet;
    case 'revert':
      session.userName = session.impersonated.pop() ?? session.userName;
      return quiet;
    case 'setOption':
      for (const name of statement.names) setOption(name, statement.value, context);
      return quiet;
  }
}

export function useDatabase(name: string, { session, reply }: Context): void {
  const before = session.database.name;
  const found = session.useDatabase(name);
  reply.changed(envChange.database, found.name, before);
  reply.info(5701, `Changed database context to '${found.name}'.`, 0, 2);
}

function setOption(name: string, value: Of<'setOption'>['value'], context: Context): void {
  const { session } = context;
  if (typeof value === 'string' && name !== 'ISOLATION')
    return setSwitch(name, value === 'ON', context);
  if (name === 'ISOLATION') {
    const level = isolationLevels.indexOf(typeof value === 'string' ? value : '');
    if (level < 1) throw errors.syntax(name);
    session.options = { ...session.options, isolation: level };
    return;
  }
  if (typeof value === 'string') return;
  const compiled = compile(value, context, undefined);
  const given = compiled.get();
  const number = (): number => Number(convert(given, compiled.type, int));
  switch (name) {
    case 'LANGUAGE':
      return setLanguage(String(given), context);
    case 'DATEFIRST':
      if (number() < 1 || number() > 7)
        throw new SqlError(2744, `SET DATEFIRST ${number()} is out of range.`, 16, 1);
      session.options = { ...session.options, dateFirst: number() };
      return;
    case 'DATEFORMAT':
      if (!/^(?:mdy|dmy|ymd|ydm|myd|dym)$/i.test(String(given)))
        throw new SqlError(2741, `SET DATEFORMAT date order '${String(given)}' is invalid.`, 16, 1);
      session.options = { ...session.options, dateFormat: String(given).toLowerCase() };
      return;
    case 'LOCK_TIMEOUT':
      session.options = { ...session.options, lockTimeout: Math.max(-1, number()) };
      return;
    case 'TEXTSIZE':
      session.options = {
        ...session.options,
        textSize: number() === -1 ? 2_147_483_647 : number() === 0 ? 4096 : number(),
      };
      return;
    case 'ROWCOUNT':
      session.options = { ...session.options, rowCount: number() };
      return;
    case 'QUERY_GOVERNOR_COST_LIMIT':
      session.options = { ...session.options, queryGovernor: number() };
      return;
    case 'DEADLOCK_PRIORITY': {
      const named = { low: -5, normal: 0, high: 5 }[String(given).toLowerCase()];
      session.options = { ...session.options, deadlockPriority: named ?? number() };
      return;
    }
    case 'CONTEXT_INFO': {
      const bytes = convert(given, compiled.type, varbinary(128));
      const info = new Uint8Array(128);
      if (bytes instanceof Uint8Array) info.set(bytes);
      session.contextInfo = given === null ? new Uint8Array(0) : info;
      return;
    }
    default:
      throw new SqlError(195, `'${name}' is not a recognized SET option.`, 15, 5, 'batch');
  }
}

function setSwitch(name: string, isOn: boolean, { session }: Context): void {
  if (name !== 'ANSI_DEFAULTS' && optionBits[name] === undefined && !otherSwitches.has(name))
    throw new SqlError(195, `'${name}' is not a recognized SET option.`, 15, 5, 'batch');
  const switches = new Set(session.options.switches);
  for (const one of name === 'ANSI_DEFAULTS' ? ansiDefaults : [name])
    if (isOn) {
      switches.add(one);
      // Each of the two ends the other.
      if (one === 'ANSI_NULL_DFLT_ON') switches.delete('ANSI_NULL_DFLT_OFF');
      if (one === 'ANSI_NULL_DFLT_OFF') switches.delete('ANSI_NULL_DFLT_ON');
    } else switches.delete(one);
  session.options = { ...session.options, switches };
}

function setLanguage(name: string, { session, reply }: Context): void {
  const language = languages[name.toLowerCase()];
  if (language === undefined)
    throw new SqlError(2812, `Could not find language '${name}' in syslanguages.`, 16, 1);
  const before = session.options.language.name;
  // Babelfish's languages bring nothing along.
  const { dateFirst, dateFormat } = session.engine.isBabelfish ? session.options : language;
  session.options = { ...session.options, language, dateFirst, dateFormat };
  reply.changed(envChange.language, language.name, before);
  reply.info(5703, `Changed language setting to ${language.name}.`, 0, 1);
}

export function* runMessage(
  statement: Of<'print' | 'raiserror' | 'throw' | 'waitfor' | 'kill' | 'dbcc'>,
  context: Context,
): Work<Change | undefined> {
  const { reply, engine, scope } = context;
  switch (statement.kind) {
    case 'print': {
      const compiled = compile(statement.value, context, undefined);
      reply.info(
        0,
        toText(compiled.get(), compiled.type) || ' ',
        0,
        1,
        statement.line,
        scope.procedure,
      );
      return undefined;
    }
    case 'raiserror':
      return raise(statement, context);
    case 'throw': {
      const { caught } = context;
      if (statement.args.length === 0) {
        if (caught === undefined)
          throw new SqlError(
            10_704,
            'To rethrow an error, a THROW statement must be used inside a CATCH block.',
            15,
            1,
            'batch',
          );
        const again = new SqlError(
          caught.number,
          caught.message,
          caught.severity,
          caught.state,
          'batch',
        );
        again.line = caught.line;
        throw again;
      }
      const [number, message, state] = statement.args.map((one) =>
        compile(one, context, undefined).get(),
      );
      throw new SqlError(Number(number), String(message), 16, Number(state), 'batch');
    }
    case 'waitfor': {
      const text = String(compile(statement.delay, context, undefined).get());
      yield delay(statement.isTime ? untilTime(text, engine.nowMs()) : durationOf(text));
      return { command: command.none, count: -1 };
    }
    case 'kill':
      if (!engine.hooks.kill(statement.spid))
        throw new SqlError(
          6106,
          `Process ID ${statement.spid} is not an active process ID.`,
          16,
          2,
        );
      return { command: command.none, count: -1 };
    case 'dbcc':
      if (statement.what === 'USEROPTIONS') return userOptions(context);
      reply.info(
        2528,
        'DBCC execution completed. If DBCC printed error messages, contact your system administrator.',
      );
      return { command: command.none, count: -1 };
  }
}

function durationOf(text: string): number {
  const [, hours, minutes, seconds, fraction = ''] =
    /^\s*(\d+):(\d+)(?::(\d+)(?:\.(\d{1,3}))?)?/.exec(text) ?? [];
  if (hours === undefined)
    throw new SqlError(
      148,
      `Incorrect time syntax in time string '${text}' used with WAITFOR.`,
      15,
      1,
      'batch',
    );
  return (
    ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1000 +
    Number(fraction.padEnd(3, '0'))
  );
}

function untilTime(text: string, nowMs: number): number {
  return (durationOf(text) - (nowMs % 86_400_000) + 86_400_000) % 86_400_000;
}

function raise(
  { message, severity, state, args, options, line }: Of<'raiserror'>,
  context: Context,
): Change | undefined {
  const { session, reply, scope } = context;
  const value = (one: Parameters<typeof compile>[0]): Value =>
    compile(one, context, undefined).get();
  const given = value(message);
  const isNumber = typeof given === 'number';
  const format = isNumber ? `Error ${given}` : String(given);
  const values = args.map(value);
  const text = format.replace(
    /%(?:\.\*|[-+0 #]*\d*(?:\.\d+)?)([diosuxX%])/g,
    (whole, kind: string) =>
      whole === '%%' || kind === '%' ? '%' : String(values.shift() ?? '(null)'),
  );
  const level = Number(value(severity));
  const number = isNumber ? given : 50_000;
  if (level <= 10) {
    reply.info(
      options.includes('SETERROR') ? number : 0,
      text,
      level,
      Number(value(state)),
      line,
      scope.procedure,
    );
    if (options.includes('NOWAIT')) reply.flush();
    session.lastError = 0;
    return undefined;
  }
  throw new SqlError(
    number,
    text,
    level,
    Number(value(state)),
    level >= 20 ? 'connection' : 'statement',
  );
}

/** DBCC USEROPTIONS. */
function userOptions({ session, reply }: Context): Change {
  const { options } = session;
  const rows: [string, string][] = [
    ['textsize', String(options.textSize)],
    ['language', options.language.name],
    ['dateformat', options.dateFormat],
    ['datefirst', String(options.dateFirst)],
    ['lock_timeout', String(options.lockTimeout)],
    ...[...options.switches].map((name): [string, string] => [name.toLowerCase(), 'SET']),
    ['isolation level', (isolationLevels[options.isolation] ?? '').toLowerCase()],
  ];
  reply.columns(
    ['Set Option', 'Value'].map((name) => ({ name, type: nvarchar(128), isNullable: true })),
  );
  for (const row of rows) reply.row(row);
  return { command: command.select, count: rows.length };
}
