import type { SecretText } from '../base/secret-text.ts';
import type { StopMode } from './embedded-process.ts';
import type { Row } from './embedded-rows.ts';

/**
 * A throw-away database server, for the demonstration and for tests: it trades durability for speed, and it and its data are
 * gone when the process that started it is, however that ended. It listens at no Unix socket.
 */
export interface EmbeddedServer {
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  readonly superuserPassword: SecretText;
  readonly dataDir: string;
  /** The server's own process id; another one after `restart`. */
  readonly pid: number;
  /** As the server tells it: `18.4`, `9.7.4-2`, `11.8.9-MariaDB-0+deb13u1`. */
  readonly version: string;
  /** What a client trusts to verify the server in full; undefined without TLS. */
  readonly certPem: string | undefined;
  /** The last lines of the server's log. */
  log(): readonly string[];
  /** Runs one or more statements as the superuser on a connection of its own; the rows of the last one. */
  query(sql: string, database?: string): Promise<readonly Row[]>;
  /** `fast` where nothing is said. The data stays for `restart`. */
  stop(mode?: StopMode): Promise<void>;
  /** Starts it again with the same data and port, after stopping it where it runs. */
  restart(mode?: StopMode): Promise<void>;
  /** Stops it at once and deletes its data. */
  destroy(): Promise<void>;
}
