/** Below those that the system hands to outgoing connections, of which a benchmark makes many. */
const PORTS = { from: 20_000, count: 12_768 } as const;
const ATTEMPTS = 50;

/** A port of this machine that nobody listens at. */
export function freePort(): number {
  for (let attempt = 1; ; attempt += 1) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true);
      return port;
    } catch (problem) {
      if (attempt === ATTEMPTS) throw problem;
    }
  }
}
