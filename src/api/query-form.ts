import type { Input } from './service.ts';

/** How deep names may be nested, and how long a list may be: AWS's longest has 200 entries. */
const MOST_STEPS = 12;
const MOST_ELEMENTS = 1_000;

/** Two readers of the form could read two different things. */
export class MalformedForm extends Error {}

type Branch = Map<string, Branch | string>;

/**
 * Reads a form of the Query protocol: `Auth.member.1.IAMAuth=REQUIRED` becomes `{ Auth: { member: [{ IAMAuth: 'REQUIRED' }] } }`.
 * All values are texts; an empty list is an empty text. Throws `MalformedForm` where a name is given twice, is a value
 * and has parts too, or where a list's numbers are not 1, 2, 3 ….
 */
export function readForm(text: string): Input {
  const root: Branch = new Map();
  for (const [name, value] of new URLSearchParams(text)) place(root, name, value);
  const tree = objectOf(root, '');
  if (Array.isArray(tree)) throw new MalformedForm('the parameters have numbers for names');
  return tree;
}

function place(root: Branch, name: string, value: string): void {
  const steps = name.split('.');
  const last = steps.pop() ?? '';
  if (steps.length >= MOST_STEPS || [...steps, last].includes(''))
    throw new MalformedForm(`the parameter name ${shown(name)} is malformed`);
  let branch = root;
  for (const step of steps) {
    const next = branch.get(step) ?? new Map();
    if (typeof next === 'string')
      throw new MalformedForm(`${shown(name)} is part of a value that is given, too`);
    branch.set(step, next);
    branch = next;
  }
  if (branch.has(last)) throw new MalformedForm(`the parameter ${shown(name)} is given twice`);
  branch.set(last, value);
}

function objectOf(branch: Branch, name: string): Input | unknown[] {
  const keys = [...branch.keys()];
  const value = (key: string): unknown => {
    const child = branch.get(key);
    return child instanceof Map ? objectOf(child, name === '' ? key : `${name}.${key}`) : child;
  };
  if (keys.length > 0 && keys.every((key) => /^[1-9]\d{0,5}$/.test(key))) {
    if (keys.length > MOST_ELEMENTS)
      throw new MalformedForm(`${shown(name)} has more than ${MOST_ELEMENTS} elements`);
    const numbers = keys.map(Number).toSorted((a, b) => a - b);
    if (numbers.some((number, at) => number !== at + 1))
      throw new MalformedForm(`the elements of ${shown(name)} are not numbered 1, 2, 3`);
    return numbers.map((number) => value(String(number)));
  }
  // Every name becomes a property of its own, `__proto__` too.
  return Object.fromEntries(keys.map((key) => [key, value(key)]));
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
