import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, ErrorCode, Node, Pair, Scalar } from 'yaml';
import { readUpTo } from '../../secrets/secret-file.ts';
import type { Path, Position, Problems } from './problems.ts';
import { SettingsError } from './problems.ts';

/** The largest settings file, in bytes. */
export const SETTINGS_FILE_BYTES = 1_048_576;

/** More uses of YAML aliases than any settings need: what makes a small file huge is refused. */
const MAX_ALIASES = 1_000;

/** A settings file that is YAML, with the positions of what it holds. */
export interface YamlFile {
  /** Where the key, or the item of a list, stands; the nearest thing around it where it is missing. */
  locate(path: Path): Position;
  /** Replaces texts (values, not keys) by what `change` makes of them. */
  mapTexts(change: (text: string, path: Path) => string): void;
  /** The content as plain data. */
  value(problems: Problems): unknown;
}

/** Throws a `SettingsError` where the file cannot be read, or is not YAML. */
export function openYamlFile(path: string): YamlFile {
  const source = readSource(path);
  const counter = new LineCounter();
  // The parser's own messages may quote a password: only its codes are used.
  const document = parseDocument(source, {
    prettyErrors: false,
    logLevel: 'error',
    stringKeys: true,
    lineCounter: counter,
  });
  const position = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  refuseSyntaxErrors(path, source, document, position);
  if (
    document.contents === null ||
    (isScalar(document.contents) && document.contents.value === null)
  )
    throw new SettingsError([`${path}: is empty; see sluice.example.yaml`]);
  return {
    locate: (place) => position(offsetOf(document, place)),
    mapTexts: (change) => mapTexts(document, change),
    value: (problems) => toValue(document, path, problems),
  };
}

function readSource(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readUpTo(path, SETTINGS_FILE_BYTES);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError([`${path}: ${why}; give the path of the settings file`]);
  }
  if (bytes.length > SETTINGS_FILE_BYTES)
    throw new SettingsError([`${path}: is larger than ${SETTINGS_FILE_BYTES} bytes`]);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SettingsError([`${path}: is not UTF-8 text; save it as UTF-8`]);
  }
}

const quoteIt = 'put the value in quotes';

const syntaxTexts: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: `a value that begins with * refers to an anchor; ${quoteIt}`,
  BAD_DIRECTIVE: 'a line that begins with % is a YAML directive; remove it',
  BAD_DQ_ESCAPE: 'unknown escape sequence in double quotes; use single quotes, or write \\\\',
  BAD_INDENT: 'the indentation does not fit what is around it, or a bracket is not closed',
  BAD_SCALAR_START: `a value cannot begin with this character; ${quoteIt}`,
  BLOCK_AS_IMPLICIT_KEY: `": " inside a value, or two keys on one line; ${quoteIt}`,
  DUPLICATE_KEY: 'the key is given twice; remove one of them',
  MISSING_CHAR: 'a closing quote, a comma, a colon or a space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key without a colon; write `key: value`',
  MULTIPLE_DOCS: 'a second YAML document begins here; keep one',
  NON_STRING_KEY: `a list or a mapping where a key should be; ${quoteIt}`,
  TAB_AS_INDENT: 'a tab as indentation; use spaces',
  TAG_RESOLVE_FAILED: `a value that begins with ! has a YAML tag; ${quoteIt}`,
};

function refuseSyntaxErrors(
  path: string,
  source: string,
  document: Document.Parsed,
  position: (offset: number) => Position,
): void {
  const byLine = new Map<number, string>();
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const { line, column } = position(pos[0]);
    const inFlow = /[{[,:]\s*\$$/.test(source.slice(0, pos[0])) && source[pos[0]] === '{';
    const text = inFlow
      ? 'inside braces or brackets a variable must be in quotes: "${NAME}"'
      : (syntaxTexts[code] ??
        'is not YAML from here on; check the punctuation and the indentation');
    // One mistake often breaks the rest of its line.
    if (!byLine.has(line)) byLine.set(line, `${path}:${line}:${column}: ${text}`);
  }
  if (byLine.size > 0)
    throw new SettingsError([...byLine].sort(([a], [b]) => a - b).map(([, text]) => text));
}

/** Follows the path as far as the file has it. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === String(key));
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof key === 'number') {
      node = node.items[key];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function mapTexts(document: Document.Parsed, change: (text: string, path: Path) => string): void {
  visit(document, {
    Scalar(key, node: Scalar, ancestors) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.value = change(node.value, pathOf(node, ancestors));
    },
  });
}

/** The way from the root to `node`, which stands below `ancestors`. */
function pathOf(node: Node, ancestors: readonly (Document | Node | Pair)[]): Path {
  const path: (string | number)[] = [];
  const steps: readonly unknown[] = [...ancestors, node];
  steps.forEach((step, depth) => {
    if (isSeq(step)) path.push(step.items.indexOf(steps[depth + 1]));
    if (isMap(step)) {
      const pair = step.items.find((item) => item === steps[depth + 1]);
      if (isScalar(pair?.key)) path.push(String(pair.key.value));
    }
  });
  return path;
}

function toValue(document: Document.Parsed, path: string, problems: Problems): unknown {
  let unresolved = false;
  visit(document, {
    Alias(_, node, ancestors) {
      if (node.resolve(document) !== undefined) return;
      unresolved = true;
      problems.add(
        pathOf(node, ancestors),
        `a value that begins with * refers to an anchor; ${quoteIt}`,
      );
    },
  });
  if (unresolved) throw new SettingsError(problems.lines());
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    throw new SettingsError([`${path}: too many YAML aliases; write the values out`]);
  }
}
