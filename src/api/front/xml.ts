import { XmlNode, XmlText } from '@aws-sdk/xml-builder';
import { isTree } from './tree.ts';

/** What XML 1.0 has no place for, not even escaped. */
const IMPOSSIBLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/**
 * The element of this name. An object has its members for children, a list stands for as many elements, a Date is ISO 8601, and
 * what is undefined is left out. Characters that XML cannot hold become U+FFFD. Throws on anything else.
 */
export function element(name: string, value: unknown): XmlNode {
  const node = new XmlNode(name);
  if (!isTree(value)) return node.addChildNode(new XmlText(textOf(name, value)));
  for (const [child, inner] of Object.entries(value)) {
    const all: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
    for (const one of all) if (one !== undefined) node.addChildNode(element(child, one));
  }
  return node;
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value.replace(IMPOSSIBLE, '\u{FFFD}');
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return String(value);
  if (value instanceof Date) return value.toISOString();
  throw new Error(`${name} cannot be said in XML`);
}
