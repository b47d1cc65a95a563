import { generateCertificate } from '../../src/net/certificate.ts';
import type { Benchmark } from '../stage.ts';
import { compete } from '../support/compete.ts';
import { haproxy } from '../support/haproxy.ts';
import type { Line } from '../support/line.ts';
import { describeMachine } from '../support/machine.ts';
import { helpFor, readOptions } from '../support/options.ts';
import { versionsOf } from '../support/pooler.ts';
import { findPoolers } from '../support/poolers.ts';
import type { Measurement } from '../support/span.ts';
import { startDatabase } from './database.ts';
import { measureLoad } from './load.ts';
import type { TdsLoad } from './load/statements.ts';
import { modes } from './load/statements.ts';
import { TLS_VERSION } from './load/tls.ts';
import { menu } from './options.ts';
import { targets } from './targets.ts';
import { download, visit } from './visit.ts';

const ENGINE = { engine: 'sqlserver', engineFamily: 'SQLSERVER' } as const;
/** Each way to say a statement has code of its own. */
const WARM_UPS: readonly TdsLoad[] = modes.map((mode) => {
  return { work: 'mix', mode, clients: 32, reconnect: false };
});

export const sqlserverBenchmark: Benchmark = {
  name: menu.engine,
  summary: "Sluice against HAProxy in front of the same server that speaks SQL Server's protocol.",
  help: helpFor(menu),
  async run(args, stage) {
    const options = readOptions(args, menu);
    if (options.help) {
      stage.out(helpFor(menu));
      return 0;
    }
    if (process.platform !== 'linux')
      throw new Error('processor time and memory are read from /proc: this needs Linux');
    const poolers = await findPoolers(options, { haproxy }, ENGINE, stage);
    const machine = describeMachine();
    await using database = await startDatabase(options.address, stage.signal);
    const { hasTls } = database;
    if (!hasTls) stage.say('The server has no TLS: cases with TLS are left out.');
    const ground = {
      ...{ poolers, database, signIn: visit, download },
      certificate: generateCertificate(['127.0.0.1', 'localhost']),
      tlsVersion: hasTls ? TLS_VERSION : undefined,
      warmUp,
      direct: (tls: boolean) => ({ ...database, tls }),
    };
    const cases = options.cases.filter(({ tls }) => hasTls || !tls);
    const versions = { ...versionsOf(poolers), [options.server]: database.version };
    const entry = { engine: menu.engine, machine, versions, targets };
    return await compete(entry, ground, { ...options, cases }, stage);
  },
};

async function warmUp(line: Line, measurement: Measurement): Promise<void> {
  const seconds = measurement.seconds / WARM_UPS.length;
  for (const load of WARM_UPS) await measureLoad(load, line, { ...measurement, seconds });
}
