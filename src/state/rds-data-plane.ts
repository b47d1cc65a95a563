export interface Health {
  readonly state: 'REGISTERING' | 'AVAILABLE' | 'UNAVAILABLE' | 'UNUSED';
  /** AWS's word: `UNREACHABLE`, `CONNECTION_FAILED`, `AUTH_FAILURE`, `PENDING_PROXY_CAPACITY` …; not where it is available. */
  readonly reason?: string | undefined;
  readonly description?: string | undefined;
}

export interface ProxyStatus {
  /** Whether clients can connect; of a proxy that shall end, whether some still are. */
  readonly listening: boolean;
  /** The port that it listens on. */
  readonly port: number | undefined;
  /** Which revision of the proxy it runs; undefined where it always runs the latest. */
  readonly revision?: number | undefined;
  /** Why it cannot run, or cannot become what it shall be, as a sentence. */
  readonly trouble?: string | undefined;
}

/** What the part that runs the proxies tells of them. */
export interface DataPlane {
  /** Of a proxy that it does not know, that it is not listening. */
  statusOf(proxyId: string): ProxyStatus;
  /** Of what it does not know, that it is registering. */
  healthOf(proxyId: string, databaseIdentifier: string): Health;
}

/** Whether the proxy runs with the changes of this revision. */
export function hasReached({ listening, revision: runs }: ProxyStatus, revision: number): boolean {
  return listening && (runs === undefined || runs >= revision);
}
