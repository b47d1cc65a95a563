import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Queue } from './queue.ts';

test('does what an array would do, however often', () => {
  const step = fc.oneof(
    { weight: 60, arbitrary: fc.record({ do: fc.constant('add'), item: fc.nat() }) },
    { weight: 50, arbitrary: fc.record({ do: fc.constant('shift') }) },
    { weight: 10, arbitrary: fc.record({ do: fc.constant('delete'), item: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear') }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1_500, size: 'max' }), (steps) => {
      const queue = new Queue<object>();
      let model: object[] = [];
      for (const one of steps) {
        if (one.do === 'add') {
          const item = { at: model.length };
          queue.add(item);
          model.push(item);
        } else if (one.do === 'shift') expect(queue.shift()).toBe(model.shift());
        else if (one.do === 'delete') {
          const item = model[('item' in one ? one.item : 0) % 41];
          expect(queue.delete(item ?? {})).toBe(item !== undefined);
          model = model.filter((other) => other !== item);
        } else {
          queue.clear();
          model = [];
        }
        expect([queue.size, queue.first]).toEqual([model.length, model[0]]);
      }
      expect(queue.all()).toEqual(model);
    }),
    { numRuns: 30 },
  );
});
