import { describe, expect, test } from 'bun:test';
import { Violation } from '../../base/assert.ts';
import { concat, i32be, latin1, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { int32 } from './build.ts';
import {
  cancelRequest,
  checkLength,
  gssEncRequest,
  readStartup,
  sslRequest,
  startupMessage,
} from './startup.ts';

const body = (packet: Uint8Array) => packet.subarray(4);

describe('start-up packets', () => {
  test('what we say as a client is what we read as a server', () => {
    expect(readStartup(body(sslRequest()))).toEqual({ kind: 'sslRequest' });
    expect(readStartup(body(gssEncRequest()))).toEqual({ kind: 'gssEncRequest' });
    const packet = startupMessage(
      [
        ['user', 'ann'],
        ['database', 'db'],
        ['_pq_.x', '1'],
        ['_pq_.y', ''],
        ['_pq_.x', '2'],
      ],
      2,
    );
    expect(readStartup(body(packet))).toEqual({
      kind: 'startup',
      key: latin1(body(packet)),
      minor: 2,
      user: 'ann',
      parameters: new Map([
        ['user', 'ann'],
        ['database', 'db'],
      ]),
      protocolOptions: ['_pq_.x', '_pq_.y', '_pq_.x'],
    });
  });

  test('each packet announces its own length', () => {
    for (const packet of [sslRequest(), cancelRequest(1, new Uint8Array(4)), startupMessage([])]) {
      expect(checkLength(i32be(packet, 0))).toBe(packet.length - 4);
    }
  });

  test('PG-27: a cancel secret has 4 to 256 bytes, and all of it is kept, as a copy', () => {
    for (const length of [4, 32, 256]) {
      const secret = new Uint8Array(length).fill(7);
      const packet = cancelRequest(0xfffffffe, secret);
      const read = readStartup(body(packet));
      packet.fill(0);
      expect(read).toEqual({ kind: 'cancelRequest', pid: 0xfffffffe, secret });
    }
    for (const length of [0, 3, 257]) {
      const packet = body(cancelRequest(1, new Uint8Array(length)));
      expect(() => readStartup(packet)).toThrow(Violation);
    }
  });

  test('of a parameter that comes twice, the last counts', () => {
    const read = readStartup(
      body(
        startupMessage([
          ['user', 'a'],
          ['user', 'b'],
        ]),
      ),
    );
    expect(read).toMatchObject({ kind: 'startup', user: 'b' });
  });

  test('no user is an empty one', () => {
    expect(readStartup(body(startupMessage([])))).toMatchObject({ kind: 'startup', user: '' });
    const empty = readStartup(body(startupMessage([['user', '']])));
    expect(empty).toMatchObject({ kind: 'startup', user: '' });
  });

  test('names are only names: __proto__ is a parameter like another', () => {
    const read = readStartup(
      body(
        startupMessage([
          ['__proto__', 'x'],
          ['user', 'a'],
        ]),
      ),
    );
    expect(read).toMatchObject({
      parameters: new Map([
        ['__proto__', 'x'],
        ['user', 'a'],
      ]),
    });
  });

  test('another major version is told apart, whatever follows', () => {
    const packet = concat([int32(2 << 16), utf8('old layout without a terminator')]);
    expect(readStartup(packet)).toEqual({ kind: 'unsupportedProtocol', major: 2, minor: 0 });
  });

  test('PG-18: every truncation and every surplus is a violation', () => {
    const packets = [
      sslRequest(),
      gssEncRequest(),
      cancelRequest(5, new Uint8Array(4)),
      startupMessage([
        ['user', 'ann'],
        ['database', ''],
      ]),
    ];
    for (const packet of packets) {
      const whole = body(packet);
      for (let cut = 0; cut < whole.length; cut += 1) {
        expect(() => readStartup(whole.subarray(0, cut))).toThrow(Violation);
      }
    }
    for (const packet of [sslRequest(), gssEncRequest(), startupMessage([['user', 'ann']])]) {
      const longer = concat([body(packet), Uint8Array.of(0)]);
      expect(() => readStartup(longer)).toThrow(Violation);
    }
  });

  test('PG-16: lengths that no start-up packet can have', () => {
    for (const length of [-2147483648, -1, 0, 3, 4, 7, limits.startupPacketBytes.value + 5]) {
      expect(() => checkLength(length)).toThrow(Violation);
    }
    expect(checkLength(8)).toBe(4);
    expect(checkLength(limits.startupPacketBytes.value + 4)).toBe(limits.startupPacketBytes.value);
  });
});
