import { errors } from '../types/errors.ts';
import { Source } from './source.ts';

export interface Login {
  readonly tdsVersion: number;
  /** 0 for the server's own choice. */
  readonly packetBytes: number;
  readonly isOdbc: boolean;
  readonly isReadOnly: boolean;
  readonly usesSspi: boolean;
  readonly hostName: string;
  readonly userName: string;
  readonly password: string;
  readonly appName: string;
  readonly serverName: string;
  readonly library: string;
  readonly language: string;
  readonly database: string;
  readonly features: readonly { readonly id: number; readonly data: Uint8Array }[];
}

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
} as const;

const versions = new Set([
  0x70000000, 0x71000000, 0x71000001, 0x72090002, 0x730a0003, 0x730b0003, 0x74000004, 0x08000000,
]);

/** The version that a server answers with: strict clients go on with what 7.4 knows. */
export function knownVersion(asked: number): number {
  if (asked === 0x08000000) return 0x74000004;
  if (versions.has(asked)) return asked;
  if (asked > 0x74000004) return 0x74000004;
  // FreeTDS asks for 0x72000000 and the like.
  return [...versions].filter((one) => one <= asked + 0x0f_00_0f).at(-2) ?? 0x71000001;
}

/** LOGIN7, [MS-TDS] 2.2.6.4. */
export function readLogin(payload: Uint8Array): Login {
  const source = new Source(payload);
  if (source.u32() !== payload.length) throw errors.protocol('LOGIN7 is not as long as it says.');
  const tdsVersion = source.u32();
  const packetBytes = source.u32();
  source.bytes(12);
  const [, flags2 = 0, typeFlags = 0, flags3 = 0] = source.bytes(4);
  source.bytes(8);
  const place = (): { at: number; length: number } => ({ at: source.u16(), length: source.u16() });
  const text = ({ at, length }: { at: number; length: number }): string =>
    length === 0 ? '' : source.slice(at, length * 2).toString('utf16le');
  const hostName = text(place());
  const userName = text(place());
  const hidden = place();
  const password = hidden.length === 0 ? '' : reveal(source.slice(hidden.at, hidden.length * 2));
  const appName = text(place());
  const serverName = text(place());
  const extension = place();
  const library = text(place());
  const language = text(place());
  const database = text(place());
  // tedious says so to older servers, too, and has none.
  const hasExtension = (flags3 & 0x10) !== 0 && extension.length > 0;
  const features = hasExtension
    ? readFeatures(payload, source.slice(extension.at, 4).readUInt32LE(0))
    : [];
  return {
    ...{ tdsVersion, packetBytes, isOdbc: (flags2 & 0x02) !== 0, usesSspi: (flags2 & 0x80) !== 0 },
    ...{ isReadOnly: (typeFlags & 0x20) !== 0, hostName, userName, password, appName, serverName },
    ...{ library, language, database, features },
  };
}

function readFeatures(payload: Uint8Array, at: number): Login['features'] {
  if (at > payload.length) throw errors.protocol('The feature extensions lie outside LOGIN7.');
  const source = new Source(payload.subarray(at));
  const features: { id: number; data: Uint8Array }[] = [];
  for (let id = source.u8(); id !== 0xff; id = source.u8())
    features.push({ id, data: source.bytes(source.u32()) });
  return features;
}

/** Each byte's halves are exchanged and then all bits of 0xA5 turned. */
function reveal(bytes: Uint8Array): string {
  const clear = Buffer.from(bytes).map((byte) => {
    const turned = byte ^ 0xa5;
    return ((turned & 0x0f) << 4) | (turned >> 4);
  });
  return Buffer.from(clear).toString('utf16le');
}
