import { expect, test } from 'bun:test';
import { Exposition } from './exposition.ts';
import { mergeExpositions } from './merge.ts';

function page(worker: string, value: number): string {
  const out = new Exposition({ worker });
  out.family('sluice_a_total', 'counter', 'What a is.');
  out.sample('sluice_a_total', { proxy: 'p' }, value);
  out.family('sluice_b', 'gauge', 'What b is.');
  out.sample('sluice_b', {}, value);
  return out.toString();
}

test('the samples of all workers stand together under one HELP and TYPE', () => {
  expect(mergeExpositions([page('0', 1), page('1', 2)])).toBe(`# HELP sluice_a_total What a is.
# TYPE sluice_a_total counter
sluice_a_total{proxy="p",worker="0"} 1
sluice_a_total{proxy="p",worker="1"} 2
# HELP sluice_b What b is.
# TYPE sluice_b gauge
sluice_b{worker="0"} 1
sluice_b{worker="1"} 2
`);
});

test('no page gives an empty page, and one page stays as it is', () => {
  expect(mergeExpositions([])).toBe('');
  expect(mergeExpositions([page('0', 1)])).toBe(page('0', 1));
});
