import type { LogFormat, LogLevel } from '../../base/log.ts';
import type { SecretText } from '../../base/secret-text.ts';
import type { ChannelBinding, EngineFamily, TlsMode } from '../../core/engine.ts';
import type { Address } from '../../core/network.ts';
import type { PoolSettings } from '../../core/pool-parts.ts';
import type { ClientSettings } from '../../core/proxy.ts';
import type { AwsSettings } from '../../aws/client.ts';
import type { AwsTarget } from '../../aws/databases.ts';
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
  /** Those that are declared to be at AWS: their ARNs or names there, by their names here. */
  readonly awsSecrets: ReadonlyMap<string, string>;
  /** Undefined where AWS is not to be asked for anything. */
  readonly aws: AwsSettings | undefined;
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
  readonly ioUring: boolean;
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
  /** The cluster that it is a member of. */
  readonly cluster: string | undefined;
  readonly role: 'writer' | 'reader';
  readonly engineFamily: EngineFamily;
  readonly tlsMode: TlsMode;
  /** TLS comes before all else. */
  readonly tlsFirst: boolean;
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
  /** What AWS is to be asked for: host and port come from there. */
  readonly aws?: AwsTarget | undefined;
  /** `db-…` or `cluster-…`, by which policies name it, where it is not made from the identifier. */
  readonly resourceId?: string | undefined;
  /** Why nobody knows where it is, as a sentence; undefined where somebody does. */
  readonly trouble?: string | undefined;
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
  /** As whom the proxy reads the secrets that the API keeps, and what is AWS's; undefined where that takes no role. */
  readonly roleArn: string | undefined;
  /** Undefined for a generated certificate. */
  readonly tls: CertificateFiles | undefined;
  readonly auth: readonly AuthSettings[];
  /** How users sign in who are in no entry of `auth`: with IAM_AUTH by tokens, here and at the database. */
  readonly defaultAuthScheme: 'NONE' | 'IAM_AUTH';
  /** The `identifier` of a database: of a cluster its writer. */
  readonly target: string;
  /** Where the target is a cluster, its name. */
  readonly cluster: string | undefined;
  /** The `identifier`s of the cluster's readers. */
  readonly readers: readonly string[];
  /** Beside the one that comes with the proxy. */
  readonly endpoints: readonly EndpointSettings[];
  /** How long clients may come with the password that a secret had before its current one. */
  readonly previousPasswordGraceMs: number;
  readonly debugLogging: boolean;
  readonly pool: PoolSettings;
  /** Statements to run once on every new database connection; empty for none. */
  readonly initQuery: string;
}

/** All addresses of a proxy. */
export function listensOf({ listen, endpoints }: ProxySettings): readonly Address[] {
  return [listen, ...endpoints.map((endpoint) => endpoint.listen)];
}

/** All names by which clients know a proxy: a generated certificate is for these. */
export function hostNamesOf({ hostnames, endpoints }: ProxySettings): readonly string[] {
  return [...new Set([...hostnames, ...endpoints.flatMap((endpoint) => endpoint.hostnames)])];
}

/** One more address of a proxy, which may lead to the readers. */
export interface EndpointSettings {
  /** What it is known by through all renaming: in the settings file, its name. */
  readonly id: string;
  readonly name: string;
  readonly role: 'READ_WRITE' | 'READ_ONLY';
  readonly listen: Address;
  readonly hostnames: readonly string[];
}

export interface AuthSettings {
  /** The `name` of a secret that the settings declare, or the ARN of one that the API keeps or AWS has. */
  readonly secret: string;
  readonly iamAuth: 'DISABLED' | 'REQUIRED' | 'ENABLED';
  readonly clientPasswordAuthType: ClientPasswordAuthType;
  readonly description: string | undefined;
}
