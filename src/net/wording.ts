/** An address as people and URLs write it: `db.example.com:5432`, `[::1]:5432`. */
export function sayAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What the system's error codes mean to whoever runs the proxy: Bun's own messages do not tell. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'there is no permission'],
  ['EADDRINUSE', 'the address is in use already'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ECONNREFUSED', 'nothing listens there'],
  ['ECONNRESET', 'the peer reset the connection'],
  ['EHOSTUNREACH', 'the host cannot be reached'],
  ['EMFILE', 'the process has too many open files'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['ENOTFOUND', 'the host name is unknown'],
  ['ETIMEDOUT', 'there was no answer'],
]);

/** Part of a sentence: why a socket could not be had, with the system's code where it has one. */
export function sayProblem(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem);
  const code = 'code' in problem ? String(problem.code) : undefined;
  const meaning = meanings.get(code ?? '') ?? problem.message;
  return code === undefined ? meaning : `${meaning} (${code})`;
}
