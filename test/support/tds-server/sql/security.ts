import type { Statement } from './ast.ts';
import type { Words } from './words.ts';

/** CREATE, ALTER or DROP of who may log in, of users and of roles, behind the first word; undefined where it is about something else. */
export function parsePrincipal(
  words: Words,
  line: number,
  does: 'create' | 'alter' | 'drop',
): Statement | undefined {
  if (words.skip('LOGIN')) return parseLogin(words, line, does);
  if (words.skip('USER')) return parseUser(words, line, does);
  if (words.skip('SERVER', 'ROLE')) return parseRole(words, line, does, true);
  return words.skip('ROLE') ? parseRole(words, line, does, false) : undefined;
}

function parseLogin(words: Words, line: number, does: 'create' | 'alter' | 'drop'): Statement {
  const isIfExists = does === 'drop' && words.skip('IF', 'EXISTS');
  const name = words.identifier();
  const options = does === 'drop' ? new Map<string, string>() : parseOptions(words);
  return { kind: 'login', line, does, name, options, isIfExists };
}

function parseUser(words: Words, line: number, does: 'create' | 'alter' | 'drop'): Statement {
  const isIfExists = does === 'drop' && words.skip('IF', 'EXISTS');
  const name = words.identifier();
  const hasLogin = words.skip('FOR', 'LOGIN') || words.skip('FROM', 'LOGIN');
  const login = hasLogin ? words.identifier() : undefined;
  const options = does === 'drop' ? new Map<string, string>() : parseOptions(words);
  return { kind: 'user', line, does, name, login, options, isIfExists };
}

/** `WITH PASSWORD = N'a' OLD_PASSWORD = N'b', DEFAULT_DATABASE = c`: names in capitals. */
function parseOptions(words: Words): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  if (!words.skip('WITH')) return options;
  do {
    const name = words.next().upper;
    words.expect('=');
    options.set(name, words.next().text);
    words.skip('MUST_CHANGE');
  } while (words.skip(',') || words.is('OLD_PASSWORD'));
  return options;
}

function parseRole(
  words: Words,
  line: number,
  does: 'create' | 'alter' | 'drop',
  isOfServer: boolean,
): Statement {
  const isIfExists = does === 'drop' && words.skip('IF', 'EXISTS');
  const name = words.identifier();
  if (words.skip('AUTHORIZATION')) words.identifier();
  const member = { adds: false, name: '' };
  if (does === 'alter') {
    member.adds = words.skip('ADD');
    if (!member.adds) words.expect('DROP');
    words.expect('MEMBER');
    member.name = words.identifier();
  }
  return { kind: 'role', line, does, name, member, isOfServer, isIfExists };
}

/** GRANT, DENY and REVOKE, the word included. */
export function parsePermission(words: Words, line: number): Statement {
  const does = words.next().upper;
  if (does === 'REVOKE') words.skip('GRANT', 'OPTION', 'FOR');
  const columns: string[] = [];
  const names = words.list(() => {
    const parts: string[] = [];
    while (words.now.kind === 'word' && !words.isOneOf('ON', 'TO', 'FROM'))
      parts.push(words.next().upper);
    if (words.is('(')) columns.push(...words.names());
    return parts.filter((part) => part !== 'PRIVILEGES').join(' ');
  });
  let on: { kind: string; name: readonly string[] } | undefined;
  if (words.skip('ON')) {
    const kind: string[] = [];
    if (words.ahead(1).text === '::' || words.ahead(2).text === '::') {
      while (!words.is('::')) kind.push(words.next().upper);
      words.expect('::');
    }
    on = { kind: kind.join(' ') || 'OBJECT', name: words.name() };
    if (words.is('(')) columns.push(...words.names());
  }
  if (!words.skip('TO')) words.expect('FROM');
  const to = words.list(() => words.identifier());
  const mayGrant = words.skip('WITH', 'GRANT', 'OPTION');
  words.skip('CASCADE');
  return { kind: 'permission', line, does, names, on, columns, to, mayGrant };
}
