import { isTree } from './tree.ts';

/**
 * The value as JSON 1.1 has it: a Date as seconds since 1970, bytes in base64; what is undefined is left out. Throws on anything else
 * that is not JSON's own.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(plain('the result', value));
}

function plain(name: string, value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof Date) return plain(name, value.getTime() / 1000);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((one, at) => plain(`${name}[${at}]`, one));
  if (!isTree(value)) throw new Error(`${name} cannot be said in JSON`);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, plain(key, inner)]),
  );
}
