import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { MalformedForm, readForm } from './query-form.ts';

const read = (text: string): unknown => structuredClone(readForm(text));

describe('a form of the Query protocol', () => {
  test('has texts, structures and lists', () => {
    expect(read('Action=CreateDBProxy&Auth.member.1.IAMAuth=REQUIRED&Auth.member.2.X=')).toEqual({
      Action: 'CreateDBProxy',
      Auth: { member: [{ IAMAuth: 'REQUIRED' }, { X: '' }] },
    });
    expect(read('Tags.Tag.1.Key=k&Tags.Tag.1.Value=a%20b+c&VpcSubnetIds=')).toEqual({
      Tags: { Tag: [{ Key: 'k', Value: 'a b c' }] },
      VpcSubnetIds: '',
    });
  });

  test('may list its elements in any order', () => {
    expect(read('A.member.2=b&A.member.1=a&A.member.3=c')).toEqual({
      A: { member: ['a', 'b', 'c'] },
    });
  });

  test.each([
    ['a=1&a=2', 'given twice'],
    ['a=1&a.b=2', 'part of a value'],
    ['a.b=2&a=1', 'given twice'],
    ['a..b=1', 'malformed'],
    ['=1', 'malformed'],
    [`${'a.'.repeat(20)}a=1`, 'malformed'],
    ['a.1=x&a.3=y', 'not numbered'],
    ['1=x', 'numbers for names'],
  ])('%s is refused', (text, why) => {
    expect(() => readForm(text)).toThrow(why);
  });

  test('any text is a form, or malformed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a1.&=]*$/)), (text) => {
        try {
          expect(typeof readForm(text)).toBe('object');
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedForm);
        }
      }),
    );
  });

  test('names reach no prototype', () => {
    readForm('__proto__.polluted=1&constructor.prototype.polluted=1');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});
