import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../../src/base/assert.ts';
import { concat } from '../../src/base/bytes.ts';
import { HEADER_BYTES, packetBytes, packetStatus, packetType } from '../../src/wire/tds/packets.ts';
import { readResults } from '../../src/wire/tds/results.ts';
import { RpcParameters } from '../../src/wire/tds/rpc-parameters.ts';
import { procedure, readRpcHead } from '../../src/wire/tds/rpc.ts';
import { recordedConversations, tdsMessages, versionOf } from '../support/tds-recordings.ts';
import type { RecordedMessage } from '../support/tds-recordings.ts';
import { failure, ended, oneRow, prepared, reply, row } from '../transcripts/tds-conversations.ts';
import * as say from '../transcripts/tds-conversations.ts';
import { aMemory, messagesIn, TdsRig, VERSION } from '../transcripts/tds-rig.ts';

// What is said to the relay, by either side: recorded, in whatever pieces; and damaged.

/** What sessions get for the first statement that they prepare. */
const FIRST = 0x4000_0001;
/** Every cut of what is short, and of a packet's beginning; further on only some. */
const CLOSE = 48;
const STRIDE = 23;
/** `SLUICE_FUZZ_RUNS=100000 bun test test/fuzz/tds-relay.test.ts` looks longer. */
const RUNS = Number(process.env['SLUICE_FUZZ_RUNS'] ?? 1_000);

const played = recordedConversations.filter((name) => versionOf(name) === VERSION);

/** After the sign-in, of the first connection. */
function talkOf(name: string): readonly RecordedMessage[] {
  const messages = tdsMessages(name).filter(({ connection }) => connection === 1);
  const login = messages.findIndex(({ type }) => type === packetType.login);
  return messages.slice(login + 2);
}

/** Plays a conversation, every packet cut there. Returns what both sides have heard. */
function play(talk: readonly RecordedMessage[], cut: number): readonly [string, string] {
  const rig = new TdsRig();
  const toServer: Uint8Array[] = [];
  const handles = new Map<number, number>();
  let isAsked = false;
  for (const message of talk) {
    const bytes = concat(message.packets.map((packet) => packet.slice()));
    if (message.from === 'client') {
      exchangeHandle(bytes, message, handles);
      const { requests } = rig;
      for (const piece of pieces(bytes, cut)) rig.client(piece);
      isAsked ||= rig.requests > requests || message.type === packetType.attention;
      toServer.push(rig.takePassed());
    } else if (isAsked) {
      noteHandles(message, handles);
      for (const piece of pieces(bytes, cut)) rig.server(piece);
      isAsked = message.type === packetType.attention;
      // What it asks itself the database cannot answer.
      for (let own = rig.takePassed(); own.length > 0; own = rig.takePassed()) {
        toServer.push(own);
        rig.server(reply(failure(), ended(2)));
      }
    }
  }
  return [hex(concat(toServer)), hex(rig.takeHeard())];
}

function pieces(bytes: Uint8Array, cut: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const packet = at + packetBytes(bytes, at);
    const middle = Math.min(packet, at + cut);
    found.push(bytes.slice(at, middle), bytes.slice(middle, packet));
    at = packet;
  }
  return found.filter(({ length }) => length > 0);
}

/** The client has been told others than those that were recorded. */
function exchangeHandle(
  bytes: Uint8Array,
  { type, payload, packets }: RecordedMessage,
  handles: ReadonlyMap<number, number>,
): void {
  if (type !== packetType.rpc || packets.length > 1) return;
  const head = readRpcHead(payload, 0, payload.length, VERSION);
  if (head?.procedure !== procedure.execute && head?.procedure !== procedure.unprepare) return;
  const first = new RpcParameters(payload, head.parametersAt, payload.length, VERSION).next();
  if (typeof first === 'string') return;
  const handle = handles.get(first.int() ?? 0) ?? 0;
  Buffer.from(bytes.buffer).writeInt32LE(handle, HEADER_BYTES + first.valueAt);
}

function noteHandles({ payload }: RecordedMessage, handles: Map<number, number>): void {
  for (const value of readResults(payload, VERSION).returnValues)
    if (typeof value === 'number') handles.set(value, FIRST + handles.size);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('recorded conversations', () => {
  test.each([...played])('%s: the same, wherever packets are cut (GX-10)', (name) => {
    const talk = talkOf(name);
    const whole = play(talk, Infinity);
    const longest = Math.max(0, ...talk.flatMap(({ packets }) => packets.map((one) => one.length)));
    for (let cut = 1; cut < longest; cut += cut < CLOSE ? 1 : STRIDE)
      expect(play(talk, cut)).toEqual(whole);
  });
});

// ---- damaged ------------------------------------------------------------------------------------------------------------

const requests: readonly Uint8Array[] = [
  ...played.flatMap((name) =>
    talkOf(name).flatMap(({ from, packets }) => (from === 'client' ? [concat(packets)] : [])),
  ),
  say.batch('begin tran'),
  say.batch('create table #t (a int)'),
  say.batch('set datefirst 3; use other'),
  say.batch('select 1', { status: say.RESET }),
  say.prepare('select 1'),
  say.execute(FIRST, 3),
  say.unprepare(FIRST),
  say.attention,
];

const replies: readonly Uint8Array[] = [
  ...played.flatMap((name) =>
    talkOf(name).flatMap(({ from, packets }) => (from === 'server' ? [concat(packets)] : [])),
  ),
  oneRow(),
  prepared(7),
  reply(say.wasReset, say.began(9n), row(3), ended(4)),
  reply(say.moved('other', 'app'), ended()),
  reply(failure(), ended(2)),
];

/** With a few bytes changed, and its end or its beginning somewhere. */
function damaged(from: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.constantFrom(...from),
      fc.array(
        fc.tuple(
          fc.nat(600),
          fc.constantFrom(0, 1, 4, 8, 9, 16, 0x26, 0x7f, 0xd1, 0xfd, 0xfe, 0xff),
        ),
        { maxLength: 3 },
      ),
      fc.oneof(fc.constant(0), fc.nat(60)),
      fc.oneof(fc.constant(10_000), fc.nat(900)),
    )
    .map(([original, changes, start, end]) => {
      const bytes = original.slice(start % original.length).slice(0, Math.max(1, end));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
}

/** True where it went well: a violation ends the session, and nothing else may come of it. */
function survives(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (problem) {
    if (problem instanceof Violation) return false;
    throw problem;
  }
}

/** Answers whatever is asked, as long as something is. */
function answerAll(rig: TdsRig): void {
  for (let left = 50; left > 0; left -= 1) {
    const asked = rig.takePassed();
    // A long request, and a bulk load, is passed on as it comes: then there is no end yet.
    if (asked.length === 0 || rig.relay.quiet || !endsMessage(asked)) return;
    rig.server(asked[0] === packetType.rpc ? prepared(left) : oneRow(left));
  }
}

function endsMessage(bytes: Uint8Array): boolean {
  let last = 0;
  for (let at = 0; at < bytes.length; at += packetBytes(bytes, at)) last = at;
  return ((bytes[last + 1] ?? 0) & packetStatus.endOfMessage) !== 0;
}

describe('the relay', () => {
  test('takes arbitrary bytes of a client for a request or a violation, and answers in whole messages', () => {
    const parts = fc.array(fc.oneof(damaged(requests), fc.constantFrom(...requests)), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(parts, fc.nat(900), (said, cut) => {
        const rig = new TdsRig();
        survives(() => {
          for (const bytes of said) {
            rig.client(bytes.slice(0, cut)).client(bytes.slice(cut));
            answerAll(rig);
          }
        });
        messagesIn(rig.takeHeard());
      }),
      { numRuns: RUNS },
    );
  });

  test('takes arbitrary bytes of a database for a reply or a violation; whoever comes next hears only its own', () => {
    const parts = fc.array(damaged(replies), { minLength: 1, maxLength: 3 });
    const asked = fc.constantFrom(...requests.filter((bytes) => bytes[0] !== packetType.attention));
    fc.assert(
      fc.property(asked, parts, fc.nat(900), (question, said, cut) => {
        const memory = aMemory();
        const rig = new TdsRig({ memory }).client(question.slice());
        const isFine = survives(() => {
          for (const bytes of said.flatMap((one) => [one.slice(0, cut), one.slice(cut)])) {
            // What says something to nobody is closed by whoever keeps it.
            if (bytes.length > 0 && !rig.attached) throw new Violation('nobody has asked');
            rig.server(bytes);
          }
        });
        if (!isFine || rig.attached || rig.isOver || memory.inMessage) return;
        const next = new TdsRig({ memory }).client(say.batch('select 2'));
        const isOwn = survives(() => answerOwn(next));
        if (isOwn) expect(next.heard().at(-1)).toContain('[2]');
      }),
      { numRuns: RUNS },
    );
  });
});

/** Where the connection is to be brought to the session's state first, that goes well. */
function answerOwn(rig: TdsRig): void {
  for (let left = 5; left > 0; left -= 1) {
    const passed = rig.passed();
    if (passed.length === 0) return;
    const isOwn = !passed.some((line) => line.endsWith('select 2'));
    rig.server(isOwn ? reply(ended()) : oneRow(2));
  }
}
