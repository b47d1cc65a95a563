import { describe, expect, test } from 'bun:test';
import {
  recordedConversations,
  tdsMessages,
  versionOf,
} from '../../../test/support/tds-recordings.ts';
import { infoIn, typesOf } from '../../../test/support/tds-tokens.ts';
import type { TestType } from '../../../test/support/tds-tokens.ts';
import { Violation } from '../../base/assert.ts';
import { concat, utf16 } from '../../base/bytes.ts';
import { byte, int16, int32, longText, shortText } from './build.ts';
import { writeHeaders } from './headers.ts';
import { LongParameter } from './long-parameter.ts';
import { packetType } from './packets.ts';
import { procedure, readCall, readRpcHead, rpcCall, rpcCalls } from './rpc.ts';
import type { Parameter } from './rpc-parameters.ts';
import { parameterStatus, RpcParameters } from './rpc-parameters.ts';
import type { RpcArgument } from './rpc.ts';
import { dataType } from './types.ts';
import { tdsVersion } from './versions.ts';

const { v70, v71, v72, v74 } = tdsVersion;

/** All parameters from `at` on. */
function parametersAt(bytes: Uint8Array, at: number, version: number): readonly Parameter[] {
  const parameters = new RpcParameters(bytes, at, bytes.length, version);
  const found: Parameter[] = [];
  for (let next = parameters.next(); next !== 'end'; next = parameters.next()) {
    if (next === 'more') throw new Error('it is all there');
    found.push(next);
  }
  expect(new RpcParameters(bytes, at, bytes.length, version).skip()).toBe(parameters.nextCallAt);
  return found;
}

function parametersOf(payload: Uint8Array, version: number): readonly Parameter[] {
  return parametersAt(
    payload,
    readRpcHead(payload, 0, payload.length, version)!.parametersAt,
    version,
  );
}

/** That however much of it is there, it is 'more' or a violation, as we are told whether more may come, or what it is. */
function expectEveryCut(bytes: Uint8Array, version: number): void {
  for (let cut = 1; cut < bytes.length; cut += 1) {
    expect(new RpcParameters(bytes, 0, cut, version, false).next()).toBe('more');
    expect(() => new RpcParameters(bytes, 0, cut, version).next()).toThrow(Violation);
  }
  expect(new RpcParameters(bytes, 0, 0, version, false).next()).toBe('more');
  expect(new RpcParameters(bytes, 0, 0, version).next()).toBe('end');
  expectEveryStep(bytes, version);
}

/** That it is stepped over in whatever two pieces it comes, once what it is has come, and what follows is not. */
function expectEveryStep(bytes: Uint8Array, version: number): void {
  const followed = concat([bytes, byte(7)]);
  const isEncrypted = (bytes[1 + 2 * (bytes[0] ?? 0)]! & parameterStatus.encrypted) !== 0;
  let begun = 0;
  for (let cut = 1; cut <= bytes.length; cut += 1) {
    const long = new LongParameter();
    const at = long.begin(followed, 0, cut, version);
    if (at === undefined) continue;
    begun += 1;
    expect(at).toBe(cut);
    if (!long.isDone) expect(long.goOn(followed, cut, followed.length)).toBe(bytes.length);
    else expect(cut).toBe(bytes.length);
    expect(long.isDone).toBe(true);
  }
  expect(begun > 0).toBe(!isEncrypted);
}

describe('recorded calls', () => {
  test.each(recordedConversations)('%s: are read to their end', (name) => {
    for (const { from, type, payload } of tdsMessages(name)) {
      if (from === 'server' || type !== packetType.rpc) continue;
      const parameters = parametersOf(payload, versionOf(name));
      expect(parameters.at(-1)?.end ?? payload.length).toBe(payload.length);
    }
  });

  test('of prepared statements', () => {
    const calls = tdsMessages('prepare-execute-unprepare')
      .filter(({ type, from }) => type === packetType.rpc && from === 'client')
      .map(({ payload }) => ({
        called: readRpcHead(payload, 0, payload.length, v74)?.procedure,
        parameters: parametersOf(payload, v74),
      }));
    expect(calls.map(({ called }) => called)).toEqual([
      procedure.prepare,
      procedure.execute,
      procedure.execute,
      procedure.execute,
      procedure.unprepare,
    ]);
    const [prepare, execute] = calls;
    expect(prepare!.parameters[0]).toMatchObject({ status: parameterStatus.output, isNull: true });
    expect(prepare!.parameters[2]?.text()).toMatch(/^select/i);
    const handle = execute!.parameters[0]!;
    expect(handle.valueEnd - handle.valueAt).toBe(4);
    expect(handle.int()).toBeGreaterThan(0);
  });
});

describe('a procedure', () => {
  const headOf = (name: string) => {
    const payload = rpcCall(name, [], 0n, v71);
    return readRpcHead(payload, 0, payload.length, v71)?.procedure;
  };

  test.each([
    ['sp_executesql', procedure.executeSql],
    ['SP_EXECUTESQL', procedure.executeSql],
    ['sys.sp_prepexec', procedure.prepExec],
    ['master..sp_cursoropen', procedure.cursorOpen],
    ['[sys].[sp_unprepare]', procedure.unprepare],
    ['dbo.orders', 'dbo.orders'],
    ['sp_executesql2', 'sp_executesql2'],
    ['', ''],
  ])('%s', (name, known) => {
    expect(headOf(name)).toBe(known);
  });

  test('is not known before all of its name is there; a name that is too long is a violation', () => {
    const payload = rpcCall('sp_who', [{ int: 1 }], 0n, v74);
    const head = readRpcHead(payload, 0, payload.length, v74)!;
    expect(head).toMatchObject({ procedure: 'sp_who', flags: 0, flagsAt: head.parametersAt - 2 });
    for (let cut = 0; cut < head.parametersAt; cut += 1) {
      expect(readRpcHead(payload, 0, cut, v74)).toBeUndefined();
    }
    expect(readRpcHead(payload, 0, head.parametersAt, v74)).toEqual(head);
    expect(() => readCall(int16(2_000), 0, 2)).toThrow(Violation);
  });
});

describe('arguments of ours', () => {
  const long = 'x'.repeat(5_000);
  const given: readonly RpcArgument[] = [
    { int: -7 },
    { int: undefined, isOutput: true, name: '@handle' },
    { text: 'select ⚡' },
    { text: undefined },
    { text: '' },
    { text: long, name: '@long' },
  ];

  test.each([v70, v71, v72, v74])('are read as they were meant, in version %d', (version) => {
    const payload = rpcCall(procedure.executeSql, given, 7n, version);
    const read = parametersOf(payload, version);
    expect(read.map((one) => one.int() ?? one.text())).toEqual([
      ...[-7, undefined, 'select ⚡', undefined, '', long],
    ]);
    expect(read.map(({ isNull }) => isNull)).toEqual([false, true, false, true, false, false]);
    expect(read.map(({ status }) => status)).toEqual([0, parameterStatus.output, 0, 0, 0, 0]);
    expect(read.map(({ name }) => name)).toEqual(['', '@handle', '', '', '', '@long']);
  });

  test.each([v71, v74])('several calls in one message, in version %d', (version) => {
    const calls = [1, 2, 3].map((int) => ({
      procedure: procedure.unprepare,
      arguments: [{ int }],
    }));
    const payload = rpcCalls(calls, 0n, version);
    const handles: unknown[] = [];
    let head = readRpcHead(payload, 0, payload.length, version);
    while (head !== undefined) {
      const parameters = new RpcParameters(payload, head.parametersAt, payload.length, version);
      const first = parameters.next();
      handles.push(typeof first === 'string' ? first : first.int());
      expect([parameters.next(), parameters.next()]).toEqual(['end', 'end']);
      const next = parameters.nextCallAt;
      head = next === undefined ? undefined : readCall(payload, next, payload.length);
    }
    expect(handles).toEqual([1, 2, 3]);
  });
});

function parameter(
  version: number,
  { info, value, parameter: other, ...type }: TestType,
  isNull: boolean,
): Uint8Array {
  // Long values have no pointers here.
  const none = other === undefined ? type.none : NULL_ELSEWHERE.get(type.name);
  return concat([
    shortText('@p'),
    byte(0),
    other?.info ?? infoIn(version, { ...type, info, value }),
    isNull ? (none ?? other?.value ?? value) : (other?.value ?? value),
  ]);
}

const NULL_ELSEWHERE = new Map([
  ...['text', 'ntext', 'image'].map((name) => [name, int32(-1)] as const),
  ['udt', new Uint8Array(8).fill(0xff)],
]);

describe('parameters of all types', () => {
  for (const version of [v71, v74]) {
    test.each(typesOf(version).map((type) => [type.name, type] as const))(
      `%s in version ${version}`,
      (_name, type) => {
        const bytes = parameter(version, type, false);
        const read = new RpcParameters(bytes, 0, bytes.length, version).next();
        if (typeof read === 'string') throw new Error(read);
        expect(read).toMatchObject({ name: '@p', at: 0, end: bytes.length, isNull: false });
        if (typeof type.meaning === 'string' && read.text() !== undefined) {
          expect(read.text()).toBe(type.meaning);
        }
        if (typeof type.meaning === 'number' && /int/.test(type.name))
          expect(read.int()).toBe(type.meaning);
        expectEveryCut(bytes, version);
        if (type.none === undefined) return;
        const none = parameter(version, type, true);
        const nothing = new RpcParameters(none, 0, none.length, version).next();
        expect(nothing).toMatchObject({ isNull: true, end: none.length });
        if (typeof nothing !== 'string')
          expect([nothing.int(), nothing.text()]).toEqual([undefined, undefined]);
        expectEveryCut(none, version);
      },
    );
  }

  test('TD-38: an encrypted one says what it is', () => {
    for (const algorithm of [byte(2), concat([byte(0), shortText('CUSTOM')])]) {
      const bytes = concat([
        ...[
          shortText('@p'),
          byte(parameterStatus.encrypted),
          byte(dataType.varBinary),
          int16(8_000),
        ],
        ...[int16(3), new Uint8Array(3), byte(dataType.intN), byte(4), algorithm],
        ...[byte(1), int32(1), int32(2), int32(3), new Uint8Array(8), byte(1)],
      ]);
      expect(parametersAt(bytes, 0, v74)).toMatchObject([{ end: bytes.length }]);
      expectEveryCut(bytes, v74);
    }
  });

  test('of a type that there is not: a violation', () => {
    const bytes = concat([shortText(''), byte(0), byte(0x66), int32(0)]);
    expect(() => parametersAt(bytes, 0, v74)).toThrow(Violation);
    expect(() => new RpcParameters(bytes, 0, 4, v74, false).next()).toThrow(Violation);
  });
});

describe('a table for a parameter', () => {
  const types = typesOf(v74).filter(({ none }) => none !== undefined);
  const name = concat([shortText('shop'), shortText('dbo'), shortText('Lines')]);
  const column = (type: TestType, flags = 0): Uint8Array =>
    concat([int32(0), int16(flags), type.parameter?.info ?? type.info, shortText('')]);
  const values = (type: TestType): Uint8Array => type.parameter?.value ?? type.value;
  const begin = concat([shortText('@t'), byte(0), byte(dataType.table), name]);
  const read = (bytes: Uint8Array) => parametersAt(bytes, 0, v74);

  test('with rows of all types, an order, keys, and a column that rows leave out', () => {
    const tableRow = concat([byte(1), ...types.map(values)]);
    const bytes = concat([
      ...[
        begin,
        int16(types.length + 1),
        ...types.map((type) => column(type)),
        column(types[0]!, 0x200),
      ],
      ...[byte(0x10), int16(1), int16(1), byte(1), byte(0x11), int16(1), int16(1), byte(0)],
      ...[tableRow, tableRow, byte(0)],
    ]);
    const after = rpcCall('x', [{ int: 3 }], 0n, v71).subarray(6);
    expect(read(concat([bytes, after])).map(({ end }) => end)).toEqual([
      bytes.length,
      bytes.length + after.length,
    ]);
    expect(read(bytes)[0]).toMatchObject({ isNull: false, name: '@t' });
    expect(read(bytes)[0]?.text()).toBeUndefined();
    expectEveryCut(bytes, v74);
  });

  test('without columns', () => {
    const bytes = concat([begin, int16(0xffff), byte(0), byte(0)]);
    expect(read(bytes)).toMatchObject([{ end: bytes.length, int: expect.any(Function) }]);
    expectEveryCut(bytes, v74);
  });

  test.each([
    ['a token that there is not', concat([begin, int16(0xffff), byte(0x12), byte(0)])],
    ['a row that is none', concat([begin, int16(0xffff), byte(0), byte(2)])],
    ['too many columns', concat([begin, int16(0xfffe), new Uint8Array(40)])],
  ])('with %s: a violation', (_what, bytes) => {
    expect(() => read(bytes)).toThrow(Violation);
  });
});

test('text in pieces, and in old types, is text', () => {
  const info = concat([byte(dataType.nVarChar), int16(0xffff), new Uint8Array(5)]);
  const chunks = concat([
    ...['se', 'lect'].map((part) => concat([int32(2 * part.length), utf16(part)])),
    int32(0),
  ]);
  const bytes = concat([shortText(''), byte(0), info, new Uint8Array(8).fill(0xfe), chunks]);
  expect(parametersAt(bytes, 0, v74)[0]?.text()).toBe('select');
  const headers = writeHeaders(0n);
  const payload = concat([headers, longText('p'), int16(0), bytes]);
  expect(parametersOf(payload, v74)[0]).toMatchObject({ at: payload.length - bytes.length });
});
