/** A bug in Sluice itself, never a peer's fault: the session that met it closes, loudly. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

/** A peer broke its protocol (or a limit of ours): its connection closes. The message is for the log, never for the peer. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** The value, or a Bug where there is none. */
export function must<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new Bug(message);
  return value;
}

/** The end of an exhaustive switch: a type error here means a case is missing. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${String(value)}`);
}
