import type { LogFormat, LogLevel } from '../../base/log.ts';
import type { SecretText } from '../../base/secret-text.ts';
import type { ChannelBinding, EngineFamily, TlsMode } from '../../core/engine.ts';
import type { Address } from '../../core/network.ts';
import type { PoolSettings } from '../../core/pool-parts.ts';
import type { ClientSettings } from '../../core/proxy.ts';
import type { DeclaredSecret } from '../../secrets/declared.ts';
import type { IntroductionSettings } from '../introduction.ts';
import type { PortRange } from './fields.ts';
import type { ClientPasswordAuthType, DatabaseInput } from './schema.ts';

/** What the settings file says, validated, with defaults filled in and every path absolute. */
export interface Settings {
  /** The settings file, absolute. */
  readonly path: string;
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  readonly principals: readonly PrincipalSettings[];
  readonly secrets: readonly DeclaredSecret[];
  readonly databases: readonly DatabaseSettings[];
  readonly proxies: readonly ProxySettings[];
  readonly admin: {
    readonly listen: Address | undefined;
    /** Undefined for plain HTTP. */
    readonly tls: CertificateFiles | undefined;
  };
  readonly api: {
    readonly listenHost: string;
    readonly ports: PortRange;
    /** With `{name}` and `{id}`. */
    readonly hostname: string;
  };
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly drainTimeoutMs: number;
  readonly workers: number;
  /** What is allowed but probably not meant: `file:line:column: path: text`. */
  readonly warnings: readonly string[];
}

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Who may sign IAM tokens. */
export interface PrincipalSettings {
  readonly accessKeyId: string;
  readonly secretAccessKey: SecretText;
  readonly sessionToken?: SecretText;
  /** As written; `parsePolicy` has accepted it. */
  readonly policy: unknown;
}

export interface DatabaseSettings extends Address {
  readonly identifier: string;
  readonly engine: DatabaseInput['engine'];
  readonly engineFamily: EngineFamily;
  readonly tlsMode: TlsMode;
  /** PEM certificates to trust, where they are given themselves. */
  readonly tlsCa: string | undefined;
  readonly tlsCaFile: string | undefined;
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  /** The name that the certificate is held to; `host` unless the settings say otherwise. */
  readonly tlsServerName: string;
  readonly channelBinding: ChannelBinding;
  readonly allowCleartextPassword: boolean;
  /** Instead of what the database says that it grants. */
  readonly maxConnections: number | undefined;
  /** The database that the proxy itself connects to in order to watch the server; undefined where it needs none. */
  readonly database: string | undefined;
}

export interface ProxySettings extends ClientSettings, IntroductionSettings {
  readonly name: string;
  /** `prx-…`: what policies name, and the proxy's own through all renaming. */
  readonly id: string;
  /** Of a proxy that the API has made, which state of it this is; undefined for one that the settings file declares. */
  readonly revision: number | undefined;
  readonly engineFamily: EngineFamily;
  /** Port 0 lets the system choose. */
  readonly listen: Address;
  /** The names under which clients know the proxy: IAM tokens and the generated certificate are for these. */
  readonly hostnames: readonly string[];
  readonly requireTls: boolean;
  /** As whom the proxy reads the secrets that the API keeps; undefined where it cannot. */
  readonly roleArn: string | undefined;
  /** Undefined for a generated certificate. */
  readonly tls: CertificateFiles | undefined;
  readonly auth: readonly AuthSettings[];
  /** The `identifier` of a database. */
  readonly target: string;
  readonly debugLogging: boolean;
  readonly pool: PoolSettings;
  /** Statements to run once on every new database connection; empty for none. */
  readonly initQuery: string;
}

export interface AuthSettings {
  /** The `name` of a secret that the settings declare, or the ARN of one that the API keeps. */
  readonly secret: string;
  readonly iamAuth: 'DISABLED' | 'REQUIRED';
  readonly clientPasswordAuthType: ClientPasswordAuthType;
  readonly description: string | undefined;
}
