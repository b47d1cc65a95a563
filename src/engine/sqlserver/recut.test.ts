import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { messagesIn } from '../../../test/transcripts/tds-rig.ts';
import { concat } from '../../base/bytes.ts';
import { HEADER_BYTES, message, packetBytes, packetType } from '../../wire/tds/packets.ts';
import { recut } from './recut.ts';

test('TD-16: a packet becomes several that are short enough, with the same payload but for what is left out', () => {
  const cases = fc.record({
    payload: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
    before: fc.uint8Array({ maxLength: 20 }),
    size: fc.integer({ min: 512, max: 4096 }),
    cut: fc.option(fc.tuple(fc.nat(), fc.nat()), { nil: undefined }),
  });
  fc.assert(
    fc.property(cases, ({ payload, before, size, cut }) => {
      const bytes = concat([before, message(packetType.result, payload, 4096)]);
      const start = before.length + HEADER_BYTES;
      const [a = 0, b = 0] = (cut ?? []).map((at) => start + (at % (payload.length + 1)));
      const without = cut === undefined ? undefined : { from: Math.min(a, b), to: Math.max(a, b) };
      const parts = {
        at: before.length,
        length: bytes.length - before.length,
        packetBytes: size,
        without,
      };
      const out = recut(bytes, parts);
      for (let at = 0; at < out.length; at += packetBytes(out, at))
        expect(packetBytes(out, at)).toBeLessThanOrEqual(size);
      const [whole] = messagesIn(out);
      const kept = concat([
        bytes.subarray(start, without?.from),
        bytes.subarray(without?.to ?? bytes.length),
      ]);
      expect(whole?.payload).toEqual(kept.slice());
    }),
  );
});
