/**
 * Reads the `options` of a start-up message as the server's command line, split at blanks, where a backslash makes the next
 * character an ordinary one (PostgreSQL's `pg_split_opts` and `process_postgres_switches`). Returns the settings of `-c name=value`
 * and `--name=value` in their order, or undefined where there is anything else: that is the server's own to judge (traps PG-62,
 * PG-62b).
 */
export function readOptions(
  options: string,
): readonly (readonly [name: string, value: string])[] | undefined {
  const words = split(options);
  const settings: [string, string][] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    let assignment: string | undefined;
    if (word.startsWith('--')) assignment = word.slice(2);
    else if (word.startsWith('-c')) assignment = word.length > 2 ? word.slice(2) : words[(at += 1)];
    const equals = assignment?.indexOf('=') ?? -1;
    if (assignment === undefined || equals < 1) return undefined;
    // The server takes a dash for an underscore in names.
    const name = assignment.slice(0, equals).replaceAll('-', '_');
    settings.push([name, assignment.slice(equals + 1)]);
  }
  return settings;
}

/** Blanks as C's isspace knows them. */
const BLANK = /[ \t\n\v\f\r]/;

function split(options: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < options.length; at += 1) {
    const character = options.charAt(at);
    if (BLANK.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\') {
      at += 1;
      word = (word ?? '') + options.charAt(at);
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}
