import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import type { TargetGreeting } from './target.ts';

/** What we can do whether or not the target can. */
const ALWAYS =
  capability.connectWithDb |
  capability.protocol41 |
  capability.transactions |
  capability.secureConnection |
  capability.pluginAuth |
  capability.connectAttrs |
  capability.pluginAuthLenencClientData |
  capability.compress |
  capability.zstdCompression;

/** What only makes sense to clients where the target can do it as well: how results look, and what commands there are. */
const AS_THE_TARGET =
  capability.longPassword |
  capability.foundRows |
  capability.longFlag |
  capability.noSchema |
  capability.odbc |
  capability.localFiles |
  capability.ignoreSpace |
  capability.interactive |
  capability.ignoreSigpipe |
  capability.reserved |
  capability.multiStatements |
  capability.multiResults |
  capability.psMultiResults |
  capability.sessionTrack |
  capability.deprecateEof |
  capability.optionalResultsetMetadata |
  capability.queryAttributes;

const EXTENSIONS_AS_THE_TARGET =
  extension.progress |
  extension.stmtBulkOperations |
  extension.extendedMetadata |
  extension.bulkUnitResults;

/** What clients of this target are told that they may use: what it offers itself, as far as we can pass it on (trap MY-06). */
export function offeredBy({ capabilities }: TargetGreeting, offersTls: boolean): Capabilities {
  return {
    flags: ALWAYS | (capabilities.flags & AS_THE_TARGET) | (offersTls ? capability.ssl : 0),
    extensions: capabilities.extensions & EXTENSIONS_AS_THE_TARGET,
  };
}
