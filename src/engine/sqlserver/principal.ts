import { Known } from '../../base/known.ts';
import { limits } from '../../base/limits.ts';
import type { Principal } from '../../core/engine.ts';
import type { Feature } from '../../wire/tds/features.ts';
import { feature } from '../../wire/tds/features.ts';
import { flags1, flags2, flags3 } from '../../wire/tds/login-flags.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';

/** What clients are in the habit of asking for: what the statement before has left behind. */
export type Habit = 'previous';

/** The option flags of a LOGIN7, as far as the database is told them. */
export interface LoginOptions {
  readonly flags1: number;
  readonly flags2: number;
  readonly typeFlags: number;
  readonly flags3: number;
}

/** A signed-in client. Connections are shared among those who would be told the same at login, and spoken to in the same way (trap TD-15). */
export interface SqlServerPrincipal extends Principal {
  /** Empty for the login's default. */
  readonly database: string;
  /** Empty for the login's default. */
  readonly language: string;
  readonly tdsVersion: number;
  readonly appName: string;
  /** Of the client's collation; 0 for none. */
  readonly lcid: number;
  /** The packet size to ask for. Whoever has another one can share the connection all the same. */
  readonly packetBytes: number;
  readonly options: LoginOptions;
  /** What is asked of the database. */
  readonly features: readonly Feature[];
  /** What clients like this one have asked for: of what a statement has left behind on its connection. */
  readonly habits: Set<Habit>;
}

/** What a client has said of itself. */
export type Said = Omit<SqlServerPrincipal, 'poolKey' | 'habits'>;

/** Of the feature extensions, those that depend on the database alone, and not on who has logged in there (traps TD-37, TD-38). */
const SHARED_FEATURES: readonly number[] = [
  feature.columnEncryption,
  feature.dataClassification,
  feature.utf8Support,
  feature.json,
  feature.vector,
];

/**
 * Of these, later versions change how requests and replies are laid out: with enclaves, requests carry a package for them ahead of
 * their text.
 */
const firstVersions: ReadonlyMap<number, Feature> = new Map(
  [feature.columnEncryption].map((id) => [id, { id, data: Uint8Array.of(1) }]),
);

/** Of the flags, those that are about something else than what is said, or to whom: they are as we have them. */
const OWN_FLAGS2 = flags2.integratedSecurity;
const OWN_FLAGS3 = flags3.changePassword | flags3.userInstance | flags3.extension;

/** Those who come again say the same each time. */
export class Principals {
  readonly #known = new Known<string, SqlServerPrincipal>(limits.knownPrincipals.value);

  of(said: Said): SqlServerPrincipal {
    const key = JSON.stringify([keyOf(shared(said)), said.packetBytes]);
    return this.#known.of(key, () => make(said));
  }
}

function make(said: Said): SqlServerPrincipal {
  const principal = shared(said);
  return { ...principal, habits: new Set(), poolKey: keyOf(principal) };
}

/** What the database shall be told of what a client has said. */
function shared(said: Said): Said {
  const { options } = said;
  return {
    ...said,
    options: {
      ...options,
      flags2: options.flags2 & ~OWN_FLAGS2,
      flags3: options.flags3 & ~OWN_FLAGS3,
    },
    features: said.features
      .filter(({ id }) => SHARED_FEATURES.includes(id))
      .map((one) => firstVersions.get(one.id) ?? one)
      .toSorted((a, b) => a.id - b.id),
  };
}

function keyOf(said: Said): string {
  const { options } = said;
  return JSON.stringify([
    said.user,
    said.database,
    said.language,
    said.tdsVersion,
    said.appName,
    said.lcid,
    [options.flags1, options.flags2, options.typeFlags, options.flags3],
    said.features.map(({ id, data }) => [id, ...data]),
  ]);
}

const PLAIN_OPTIONS: LoginOptions = {
  flags1: flags1.useDb | flags1.databaseFatal | flags1.setLang,
  flags2: flags2.languageFatal | flags2.odbc,
  typeFlags: 0,
  flags3: 0,
};

/** What the proxy calls itself where no client does. */
export const OWN_NAME = 'sluice';

/** The proxy itself, which speaks with the database as most drivers do. */
export function watcher(user: string, database: string | undefined): SqlServerPrincipal {
  return make({
    user,
    database: database ?? '',
    language: '',
    tdsVersion: tdsVersion.v74,
    appName: OWN_NAME,
    lcid: 0,
    packetBytes: 0,
    options: PLAIN_OPTIONS,
    features: [],
  });
}
