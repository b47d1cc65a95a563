import { limits } from '../../base/limits.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import type { Handshake } from '../../wire/mysql/handshake.ts';
import { Lessons } from './learned.ts';

/** What a database says of itself when a connection begins. */
export interface TargetGreeting {
  /** As the handshake has it; before version 11, MariaDB's begins with `5.5.5-`. */
  readonly serverVersion: string;
  readonly isMariaDb: boolean;
  /** `80400`, `101118`: two digits each for what stands behind the first dot and the second. */
  readonly version: number;
  readonly capabilities: Capabilities;
  /** The server's default collation: the lower eight bits of its number. */
  readonly collation: number;
  /** The plug-in that it expects passwords for. */
  readonly plugin: string;
}

/** What is known of the target of one proxy, beyond single connections. */
export class Target {
  readonly lessons = new Lessons();
  #greeting: TargetGreeting | undefined;
  readonly #tracked = new WeakMap<TargetGreeting, string>();
  /** Schemas that users have been let into, by both names: as the server calls them. */
  readonly #schemas = new Map<string, string>();

  /** As it came last; undefined where none has come yet. */
  get greeting(): TargetGreeting | undefined {
    return this.#greeting;
  }

  /** A connection has begun so. Equal greetings are one object. */
  meet(handshake: Handshake): TargetGreeting {
    const greeting = greetingOf(handshake);
    const last = this.#greeting;
    if (last !== undefined && JSON.stringify(last) === JSON.stringify(greeting)) return last;
    this.#greeting = greeting;
    this.#schemas.clear();
    return greeting;
  }

  /** The names of the variables that sessions of such a server have, with commas; undefined where it has not been asked. */
  trackedOf(greeting: TargetGreeting): string | undefined {
    return this.#tracked.get(greeting);
  }

  learnTracked(greeting: TargetGreeting, names: string): string {
    this.#tracked.set(greeting, names);
    return names;
  }

  /** What the server calls a schema that the user has been let into; undefined where it has not been asked. */
  schemaOf(user: string, schema: string): string | undefined {
    return this.#schemas.get(keyOf(user, schema));
  }

  learnSchema(user: string, schema: string, name: string): void {
    if (this.#schemas.size >= limits.knownSchemas.value) this.#schemas.clear();
    this.#schemas.set(keyOf(user, schema), name);
  }

  /** The server does not let the user into it any more, or it is gone. */
  forgetSchema(user: string, schema: string): void {
    this.#schemas.delete(keyOf(user, schema));
  }
}

function keyOf(user: string, schema: string): string {
  return JSON.stringify([user, schema]);
}

export function greetingOf(handshake: Handshake): TargetGreeting {
  const { serverVersion, capabilities, collation, plugin } = handshake;
  const isMariaDb =
    /mariadb/i.test(serverVersion) || (capabilities.flags & capability.longPassword) === 0;
  return {
    serverVersion,
    isMariaDb,
    version: versionIn(isMariaDb ? serverVersion.replace(/^5\.5\.5-/, '') : serverVersion),
    capabilities,
    collation,
    plugin,
  };
}

function versionIn(text: string): number {
  const [, major, minor, patch] = /^(\d{1,3})\.(\d{1,2})(?:\.(\d{1,2}))?/.exec(text) ?? [];
  return Number(major ?? 0) * 10_000 + Number(minor ?? 0) * 100 + Number(patch ?? 0);
}

/** What the server is, for people. */
export function productOf({ isMariaDb, serverVersion }: TargetGreeting): string {
  const [version = ''] = /\d[\d.]*/.exec(serverVersion.replace(/^5\.5\.5-(?=\d+\.)/, '')) ?? [];
  return `${isMariaDb ? 'MariaDB' : 'MySQL'} ${version}`;
}
