// Extensions: what a LOGIN7 asks for, and a FEATUREEXTACK agrees to. [MS-TDS] 2.2.6.4, 2.2.7.11.
import { concat } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, int32 } from './build.ts';
import { token } from './tokens.ts';

export const feature = {
  sessionRecovery: 1,
  fedAuth: 2,
  columnEncryption: 4,
  globalTransactions: 5,
  azureSqlSupport: 8,
  dataClassification: 9,
  utf8Support: 10,
  azureSqlDnsCaching: 11,
  json: 13,
  vector: 14,
  enhancedRouting: 15,
  userAgent: 16,
} as const;

export interface Feature {
  readonly id: number;
  readonly data: Uint8Array;
}

/** Stands where another feature's number might. */
export const FEATURES_END = 0xff;

/** Features up to their end, copies. */
export function readFeatures(reader: BodyReader): readonly Feature[] {
  const features: Feature[] = [];
  for (let id = reader.u8(); id !== FEATURES_END; id = reader.u8()) {
    const data = reader.take(reader.u32le()).slice();
    if (features.some((other) => other.id === id)) throw reader.violation(`feature ${id} twice`);
    features.push({ id, data });
  }
  return features;
}

export function writeFeatures(features: readonly Feature[]): Uint8Array {
  return concat([
    ...features.flatMap(({ id, data }) => [byte(id), int32(data.length), data]),
    byte(FEATURES_END),
  ]);
}

/** What of a login's features is agreed to. */
export function featureExtAck(features: readonly Feature[]): Uint8Array {
  return concat([byte(token.featureExtAck), writeFeatures(features)]);
}

/** @param bytes `[start, end)` is what follows the token */
export function readFeatureExtAck(
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly Feature[] {
  return readFeatures(new BodyReader('FEATUREEXTACK', bytes, start, end));
}
