import { generateCertificate } from '../../src/net/certificate.ts';
import { provisionProgram } from '../../test/support/provision.ts';
import type { Benchmark } from '../stage.ts';
import { runToEnd } from '../support/command.ts';
import { compete } from '../support/compete.ts';
import type { Line } from '../support/line.ts';
import { describeMachine } from '../support/machine.ts';
import { helpFor, readOptions } from '../support/options.ts';
import { TLS_VERSION, versionsOf } from '../support/pooler.ts';
import { findPoolers } from '../support/poolers.ts';
import type { Measurement } from '../support/span.ts';
import { visit } from './client.ts';
import { startDatabase } from './database.ts';
import { menu } from './options.ts';
import { pgbouncer } from './pgbouncer.ts';
import type { PgbenchLoad } from './pgbench.ts';
import { measureLoad } from './pgbench.ts';
import { download } from './result.ts';
import { targets } from './targets.ts';

const ENGINE = { engine: 'postgres', engineFamily: 'POSTGRESQL' } as const;
const WARM_UP: PgbenchLoad = { mode: 'extended', clients: 32, reconnect: false };

export const postgresBenchmark: Benchmark = {
  name: menu.engine,
  summary: 'Sluice against PgBouncer in front of the same PostgreSQL server.',
  help: helpFor(menu),
  async run(args, stage) {
    const options = readOptions(args, menu);
    if (options.help) {
      stage.out(helpFor(menu));
      return 0;
    }
    if (process.platform !== 'linux')
      throw new Error('processor time and memory are read from /proc: this needs Linux');
    await provisionProgram('pgbench', stage.say);
    const poolers = await findPoolers(options, { pgbouncer }, ENGINE, stage);
    const { out } = await runToEnd(['pgbench', '--version'], { signal: stage.signal });
    const machine = describeMachine();
    await using database = await startDatabase(stage.signal);
    const versions = {
      ...versionsOf(poolers),
      postgres: database.version,
      pgbench: /\d[\d.]*/.exec(out)?.[0] ?? out.trim(),
    };
    const ground = {
      ...{ poolers, database, signIn: visit, download, tlsVersion: TLS_VERSION },
      certificate: generateCertificate([database.host, 'localhost']),
      warmUp: (line: Line, measurement: Measurement) => measureLoad(WARM_UP, line, measurement),
      // The database's own connections have no TLS here.
      direct: (tls: boolean) => (tls ? undefined : database),
    };
    const entry = { engine: menu.engine, machine, versions, targets };
    return await compete(entry, ground, options, stage);
  },
};
