/** Which ports proxies and endpoints of the API listen on. */
export interface PortSettings {
  /** The address to listen on. */
  readonly host: string;
  /** Whether a proxy gets the port that its family is known by (3306, 5432, 1433), as in AWS, if no other one has it. */
  readonly preferDefault: boolean;
  /** The range for the others, both ends included. */
  readonly from: number;
  readonly to: number;
  /** Ports that something else of Sluice listens on. */
  readonly reserved?: readonly number[];
  /** Whether nobody else listens on it; by default nobody does. */
  readonly isFree?: (port: number) => boolean;
}

/** Undefined where none is left. */
export function choosePort(
  { preferDefault, from, to, reserved = [], isFree: isUnused = () => true }: PortSettings,
  taken: ReadonlySet<number>,
  byDefault: number | undefined,
): number | undefined {
  const isFree = (port: number): boolean =>
    !taken.has(port) && !reserved.includes(port) && isUnused(port);
  if (preferDefault && byDefault !== undefined && isFree(byDefault)) return byDefault;
  for (let port = from; port <= to; port += 1) if (isFree(port)) return port;
}
