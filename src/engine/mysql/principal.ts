import { Known } from '../../base/known.ts';
import { limits } from '../../base/limits.ts';
import type { Principal } from '../../core/engine.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import { UTF8MB4_GENERAL_CI } from '../../wire/mysql/charsets.ts';
import type { Compression } from '../../wire/mysql/compression.ts';
import type { Leftover } from './sql/effects.ts';

/** A signed-in client. Connections are shared among those to whom the database speaks in the same way (trap MY-07). */
export interface MysqlPrincipal extends Principal {
  /** The one that it has named at sign-in. */
  readonly schema: string | undefined;
  /** What was agreed with the client. */
  readonly capabilities: Capabilities;
  /** What is to be agreed with the database, beside what goes without saying. */
  readonly serverCapabilities: Capabilities;
  /** The number of the collation that its handshake has named. */
  readonly collation: number;
  /** At which it wants zstd's compression, if at all. */
  readonly zstdLevel: number | undefined;
  /** What clients like this one have asked for: of what a statement has left behind on its connection. */
  readonly habits: Set<Leftover>;
}

/** What decides how statements are taken and how replies look: both legs have the same of these. */
const SHARED_FLAGS =
  capability.foundRows |
  capability.noSchema |
  capability.odbc |
  capability.localFiles |
  capability.ignoreSpace |
  capability.interactive |
  capability.multiStatements |
  capability.multiResults |
  capability.psMultiResults |
  capability.deprecateEof |
  capability.optionalResultsetMetadata |
  capability.queryAttributes;

const SHARED_EXTENSIONS =
  extension.progress |
  extension.stmtBulkOperations |
  extension.extendedMetadata |
  extension.bulkUnitResults;

/** What a client has said of itself. */
type Said = Pick<MysqlPrincipal, 'user' | 'schema' | 'capabilities' | 'collation' | 'zstdLevel'>;

/** Those who come again say the same each time. */
export class Principals {
  readonly #known = new Known<string, MysqlPrincipal>(limits.knownPrincipals.value);

  of(said: Said): MysqlPrincipal {
    const { user, schema, capabilities, collation, zstdLevel } = said;
    const { flags, extensions } = capabilities;
    const key = JSON.stringify([user, schema ?? null, flags, extensions, collation, zstdLevel]);
    return this.#known.of(key, () => make(said));
  }
}

function make(said: Said): MysqlPrincipal {
  const { user, schema, capabilities, collation, zstdLevel } = said;
  const flags = capabilities.flags & SHARED_FLAGS;
  const extensions = capabilities.extensions & SHARED_EXTENSIONS;
  return {
    user,
    schema,
    capabilities,
    serverCapabilities: { flags, extensions },
    collation,
    zstdLevel,
    habits: new Set(),
    poolKey: poolKeyOf(user, { flags, extensions }, collation, schema),
  };
}

/** How a client's bytes are compressed from its first command on; undefined where they are not. MySQL, too, puts zlib first. */
export function compressionOf({ capabilities }: MysqlPrincipal): Compression | undefined {
  if ((capabilities.flags & capability.compress) !== 0) return 'zlib';
  return (capabilities.flags & capability.zstdCompression) === 0 ? undefined : 'zstd';
}

/** There is no way back from a schema to none: those who have none share with each other. */
function poolKeyOf(
  user: string,
  { flags, extensions }: Capabilities,
  collation: number,
  schema: string | undefined,
): string {
  return JSON.stringify([user, flags, extensions, collation, schema !== undefined]);
}

/** By whose habits they share: those who have signed in alike are one object in each schema that they go to. */
const elsewhere = new WeakMap<MysqlPrincipal['habits'], Map<string, MysqlPrincipal>>();

/** The same client, in another schema. */
export function withSchema(who: MysqlPrincipal, schema: string | undefined): MysqlPrincipal {
  const { user, serverCapabilities, collation, habits } = who;
  let known = elsewhere.get(habits);
  if (known === undefined || known.size >= limits.knownPrincipals.value) {
    known = new Map();
    elsewhere.set(habits, known);
  }
  const key = JSON.stringify(schema ?? null);
  let there = known.get(key);
  if (there === undefined) {
    there = { ...who, schema, poolKey: poolKeyOf(user, serverCapabilities, collation, schema) };
    known.set(key, there);
  }
  return there;
}

/** The proxy itself, which speaks with the database in the plainest way. */
export function watcher(user: string, schema: string | undefined): MysqlPrincipal {
  const capabilities = { flags: 0, extensions: 0 };
  return make({ user, schema, capabilities, collation: UTF8MB4_GENERAL_CI, zstdLevel: undefined });
}
