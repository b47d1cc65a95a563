import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { latin1, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Classifier } from '../../src/engine/postgres/classifier.ts';
import type { Effects } from '../../src/engine/postgres/effects.ts';
import { NO_EFFECTS } from '../../src/engine/postgres/effects.ts';

const classifier = new Classifier();

/** Pieces that meet in statements, and pieces that hide one in the other. */
const pieces = [
  'select |set |SET|local|x = 1|reset |prepare |transaction|listen |load |set_config(|true|false|',
  'nextval|pg_temp|create |temp |into |insert |declare |for |with hold|discard |pg_advisory_lock|',
  'deallocate |all|execute |explain |as |currval|pg_prepared_statements|update |pg_settings|close |drop |',
  'pg_advisory_unlock|setseed|set_limit|session |to |role |unlisten *|begin|commit|interval|value|',
  `é|a|1|1e|0x|$1|u&|e|b|'|''|\\|"|$$|$a$|$|--|/*|*/|-|/|*|(|)|,|;|.|=| |\n|\r|\t|\f`,
].flatMap((some) => some.split('|'));
const soup = fc
  .array(fc.constantFrom(...pieces), { maxLength: 24 })
  .map((some) => utf8(some.join('')));
const anything = fc.oneof(soup, fc.uint8Array({ maxLength: 64 }));
const cuts = fc.array(fc.nat(80), { maxLength: 4 });

function stream(bytes: Uint8Array, at: readonly number[]): Effects {
  const streaming = classifier.beginStreaming();
  let from = 0;
  for (const cut of at.toSorted((a, b) => a - b)) {
    const to = Math.max(from, Math.min(cut, bytes.length));
    streaming.feed(bytes, from, to);
    from = to;
  }
  streaming.feed(bytes, from, bytes.length);
  return streaming.finish();
}

test('cuts change nothing, and the prefilter lets nothing through that the lexer finds', () => {
  fc.assert(
    fc.property(anything, cuts, (bytes, at) => {
      const streamed = stream(bytes, at);
      expect(stream(bytes, [])).toEqual(streamed);
      const whole = classifier.classify(bytes, 0, bytes.length);
      // Of a text in pieces, DO and CALL are never said to be clean, and what set_config sets is not known.
      if (/do|call/i.test(latin1(bytes))) return;
      expect(whole === NO_EFFECTS).toBe(streamed === NO_EFFECTS);
      if (/set_config/i.test(latin1(bytes))) return;
      const touches = whole.touches.map((touch) => ({ ...touch, literal: undefined }));
      expect({ ...whole, touches }).toEqual({
        ...streamed,
        touches: [...streamed.touches],
      } as never);
    }),
    { numRuns: 20_000 },
  );
});

test('a literal or a comment hides its words, and its words never reach the digest', () => {
  const content = soup.map((bytes) => latin1(bytes).replaceAll(/['\\$*/\r\n]/g, ''));
  const hidden = content.chain((text) =>
    fc.constantFrom(
      `'${text}'`,
      `E'${text}'`,
      `$q$${text}$q$`,
      `/*${text}*/`,
      `--${text}\n`,
      `x'${text}'`,
    ),
  );
  fc.assert(
    fc.property(hidden, (text) => {
      const clean = utf8(`select ${text} as a`);
      expect(classifier.classify(clean, 0, clean.length)).toBe(NO_EFFECTS);
      const pinning = utf8(`listen a; select ${text}`);
      expect(classifier.classify(pinning, 0, pinning.length).digest).toMatch(
        /^listen a; select( \$1)?$/,
      );
    }),
    { numRuns: 5_000 },
  );
});

test('a statement that sets something is found behind whatever is complete', () => {
  const before = fc.constantFrom(
    '',
    ' ',
    '\n',
    '/* set */',
    '/*/**/*/',
    '-- a\n',
    "select E'\\'';",
    'select "a;";',
    'select $$;$$;',
    ';',
    '(select 1);',
  );
  fc.assert(
    fc.property(fc.array(before, { maxLength: 6 }), soup, (some, rest) => {
      const bytes = Buffer.concat([
        utf8(`${some.join('')}${some.length > 0 ? ';' : ''}set x = 1;`),
        rest,
      ]);
      const { touches, digest } = classifier.classify(bytes, 0, bytes.length);
      expect(touches.map(({ name }) => name)).toContain('x');
      expect(Buffer.byteLength(digest)).toBeLessThanOrEqual(limits.statementDigestBytes.value);
    }),
    { numRuns: 5_000 },
  );
});
