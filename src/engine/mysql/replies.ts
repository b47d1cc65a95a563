import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import {
  following,
  HEADER_BYTES,
  MAX_PACKET_BYTES,
  packet,
  packetBytes,
  sequenceNumber,
} from '../../wire/mysql/framing.ts';
import { readSessionChanges, tellsOfTransaction } from '../../wire/mysql/session-track.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import type { MysqlMemory } from './memory.ts';
import type { Step } from './own.ts';
import type { Party } from './party.ts';
import type { Shape } from './reply.ts';
import { Reply } from './reply.ts';
import { Told } from './told.ts';
import type { Tracker } from './tracker.ts';

/** May look into a packet of the reply to the client, which is all there, and put in place what the client is to see. */
export type Rewrite = (bytes: Uint8Array, start: number, end: number) => void;

interface Parts {
  readonly party: Pick<Party, 'sink' | 'who'>;
  readonly tracker: Tracker;
  readonly told: Told;
}

/**
 * The way back: follows the reply to the client's command, and those to ours before or behind it, and passes runs of the
 * client's on in one write. A reply that was not owed means that the two have lost each other, and ends the connection.
 */
export class Replies {
  readonly #parts: Parts;
  readonly #reply = new Reply();
  /** What has been asked by us, in order: answered before what the client has asked. */
  #steps: readonly Step[] = NONE;
  #client: Shape | undefined;
  #isBegun = false;
  #rewrite: Rewrite | undefined;
  /** The client has received the first part of a packet and not yet the rest. */
  #inPacket = false;
  /** What answers the client's command when that has been heard to its end. */
  #answer: Uint8Array | undefined;
  /** The number of the next packet between the client and us, whoever sends it; and of the next one in a reply to us. */
  sequence = 0;
  #ownSequence = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What became of the last reply. */
  get last(): Reply {
    return this.#reply;
  }

  get nothingOwed(): boolean {
    return this.#client === undefined && this.#steps.length === 0;
  }

  /** Nobody waits for anything. */
  get isClear(): boolean {
    return this.nothingOwed && !this.#inPacket && this.#answer === undefined && this.sequence === 0;
  }

  /** The next reply is another session's. */
  forget(): void {
    this.#reply.warnings = 0;
    this.#reply.error = 0;
    this.#rewrite = undefined;
  }

  get owesClient(): boolean {
    return this.#client !== undefined;
  }

  /** The database is at something of ours. */
  get isApart(): boolean {
    return this.#steps.length > 0;
  }

  get wantsFile(): boolean {
    return this.#client !== undefined && this.#steps.length === 0 && this.#reply.wantsFile;
  }

  /** An error of ours would be understood: no packet is cut in two. */
  get canSpeak(): boolean {
    return !this.#inPacket;
  }

  /** The client has begun a command. */
  asked(): void {
    this.sequence = 1;
  }

  /** A packet of the client's that goes on with what the one before has begun. */
  count(): void {
    this.sequence = following(this.sequence);
  }

  /** What the client has asked is answered by us, as soon as it has said all of it. */
  answer(payload: Uint8Array): void {
    this.#answer = payload;
  }

  /** All packets of the client's command have been dealt with. */
  heard(): void {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer !== undefined) this.#parts.party.sink.toClient(packet(this.sequence, answer));
    if (this.nothingOwed) this.sequence = 0;
  }

  /** The client's command has been sent. `rewrite` is shown the first packet of the reply. */
  expect(of: Shape, rewrite?: Rewrite): void {
    this.#client = of;
    this.#rewrite = rewrite;
  }

  /** A command of ours has been sent. */
  expectOwn(step: Step): void {
    this.#steps = [...this.#steps, step];
  }

  fileSent(): void {
    this.#reply.fileSent();
  }

  /** Passes on what the database sent. */
  relay(memory: MysqlMemory, arrived: Uint8Array): void {
    const bytes = memory.held.length === 0 ? arrived : concat([memory.held, arrived]);
    memory.held = EMPTY;
    const end = bytes.length;
    let at = Math.min(memory.remaining, end);
    // The rest of a packet goes where its beginning went.
    let from = this.#inPacket ? 0 : at;
    memory.remaining -= at;
    if (at > 0) this.#endIfOver(memory);
    try {
      while (end - at >= HEADER_BYTES) {
        if (this.#isPlain && !memory.continues) {
          at = this.#passOver(bytes, at, end);
          if (end - at < HEADER_BYTES) break;
        }
        const length = packetBytes(bytes, at);
        const start = at + HEADER_BYTES;
        const bodyEnd = Math.min(start + length, end);
        const isOurs = this.#steps.length > 0;
        if (!memory.continues) {
          const reply = this.#current(memory);
          if (length > 0 && start === end) break;
          const isWhole = start + length === bodyEnd;
          if (
            !isWhole &&
            this.#mustBeWhole(reply, length === 0 ? -1 : u8(bytes, start), length, isOurs)
          )
            break;
          this.#check(sequenceNumber(bytes, at), isOurs);
          reply.take(bytes, start, bodyEnd, length);
          if (isOurs) this.#keep(reply, bytes, start, bodyEnd);
          else {
            const instead = this.#instead(memory, reply, bytes, start, bodyEnd);
            if (instead !== undefined) {
              this.#passOn(bytes, from, at);
              this.#parts.party.sink.toClient(instead);
              from = bodyEnd;
            }
          }
        } else this.#check(sequenceNumber(bytes, at), isOurs);
        this.#advance(isOurs);
        memory.continues = length === MAX_PACKET_BYTES;
        memory.remaining = start + length - bodyEnd;
        at = bodyEnd;
        if (isOurs) from = at;
        this.#endIfOver(memory);
      }
    } catch (error) {
      // What came before it is the client's, who is told next what is wrong.
      this.#passOn(bytes, from, at);
      this.#inPacket = memory.continues && this.#client !== undefined;
      throw error;
    }
    const isOurs = this.#steps.length > 0;
    this.#passOn(bytes, from, at);
    this.#inPacket =
      !isOurs && (memory.remaining > 0 || memory.continues) && this.#client !== undefined;
    if (at < end) memory.held = bytes.slice(at);
  }

  /** The client's reply is under way, and nobody is to look into its next packet. */
  get #isPlain(): boolean {
    return this.#isBegun && this.#rewrite === undefined && this.#steps.length === 0;
  }

  /** Steps over whole packets that tell nothing, which are most of a result. Returns where the next one begins. */
  #passOver(bytes: Uint8Array, from: number, end: number): number {
    const reply = this.#reply;
    let { sequence } = this;
    let at = from;
    while (end - at > HEADER_BYTES) {
      const length = packetBytes(bytes, at);
      const next = at + HEADER_BYTES + length;
      if (next > end || length === 0 || length === MAX_PACKET_BYTES) break;
      if (sequenceNumber(bytes, at) !== sequence) break;
      if (!reply.takePlain(u8(bytes, at + HEADER_BYTES))) break;
      sequence = following(sequence);
      at = next;
    }
    this.sequence = sequence;
    return at;
  }

  #current(memory: MysqlMemory): Reply {
    if (this.#isBegun) return this.#reply;
    const of = this.#steps[0]?.shape ?? this.#client;
    if (of === undefined) throw new Violation('a reply to no request');
    this.#reply.begin(of, memory.status, memory.capabilities.flags);
    this.#ownSequence = 1;
    this.#isBegun = true;
    return this.#reply;
  }

  /** A packet of the database's that has another number than it should belongs to something else (trap MY-02). */
  #check(number: number, isOurs: boolean): void {
    const due = isOurs ? this.#ownSequence : this.sequence;
    if (number !== due) throw new Violation(`packet ${number} where ${due} is due`);
  }

  #advance(isOurs: boolean): void {
    if (isOurs) this.#ownSequence = following(this.#ownSequence);
    else this.sequence = following(this.sequence);
  }

  #mustBeWhole(reply: Reply, first: number, length: number, isOurs: boolean): boolean {
    if (!isOurs && this.#rewrite === undefined && !reply.mustBeWhole(first, length)) return false;
    if (length > limits.inspectedMessageBytes.value)
      throw new Violation(`a packet of ${length} bytes where a short one is due`);
    return true;
  }

  /** A packet of a reply to us. */
  #keep(reply: Reply, bytes: Uint8Array, start: number, end: number): void {
    const [step] = this.#steps;
    step?.packets.push(bytes.slice(start, end));
    if (reply.wasOk && (reply.status & serverStatus.sessionStateChanged) !== 0)
      step?.reported?.(readSessionChanges(bytes, reply.ok.stateStart, reply.ok.stateEnd));
  }

  /** What the client gets in place of this packet, a packet as well. */
  #instead(
    memory: MysqlMemory,
    reply: Reply,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Uint8Array | undefined {
    const rewrite = this.#rewrite;
    if (rewrite !== undefined) {
      this.#rewrite = undefined;
      rewrite(bytes, start, end);
    }
    if (!reply.wasOk || (reply.status & serverStatus.sessionStateChanged) === 0) return undefined;
    const { party } = this.#parts;
    const { ok } = reply;
    // MySQL says so of each BEGIN and COMMIT, though it has been told not to.
    if (tellsOfTransaction(bytes, ok.stateStart, ok.stateEnd))
      return Told.okOfTransaction(party.who.capabilities, bytes, start, ok);
    const { tracker, told } = this.#parts;
    const changes = readSessionChanges(bytes, ok.stateStart, ok.stateEnd);
    tracker.reported(memory, changes);
    return told.ok(bytes, start, ok, changes);
  }

  #passOn(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return;
    const isWhole = from === 0 && to === bytes.length;
    this.#parts.party.sink.toClient(isWhole ? bytes : bytes.subarray(from, to));
  }

  /** Once a reply is all there. */
  #endIfOver(memory: MysqlMemory): void {
    const reply = this.#reply;
    if (!this.#isBegun || !reply.isOver) return;
    if (memory.continues || memory.remaining > 0) return;
    const isOurs = this.#steps.length > 0;
    this.#isBegun = false;
    memory.status = reply.status;
    // What changed before an error is told with the next reply that is none.
    memory.mayOweReports = reply.error !== 0;
    if (!isOurs) {
      this.#client = undefined;
      this.sequence = 0;
      return;
    }
    const [step, ...later] = this.#steps;
    this.#steps = later.length === 0 ? NONE : later;
    step?.done(reply.error === 0 ? undefined : step.packets.at(-1));
  }
}

const NONE: readonly Step[] = [];
