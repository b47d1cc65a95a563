import { generateCertificate } from '../../src/net/certificate.ts';
import { provisionProgram } from '../../test/support/provision.ts';
import type { Benchmark } from '../stage.ts';
import { UsageError } from '../stage.ts';
import { compete } from '../support/compete.ts';
import { haproxy } from '../support/haproxy.ts';
import type { Line } from '../support/line.ts';
import { describeMachine } from '../support/machine.ts';
import type { Options } from '../support/options.ts';
import { helpFor, readOptions } from '../support/options.ts';
import { TLS_VERSION, versionsOf } from '../support/pooler.ts';
import type { Find } from '../support/poolers.ts';
import { findPoolers } from '../support/poolers.ts';
import type { Measurement } from '../support/span.ts';
import type { BenchDatabase } from './database.ts';
import { startDatabase } from './database.ts';
import { measureLoad } from './load.ts';
import type { MysqlLoad } from './load/statements.ts';
import { menu } from './options.ts';
import { router } from './router.ts';
import type { Server } from './database.ts';
import { servers } from './database.ts';
import { targets } from './targets.ts';
import { download, visit } from './visit.ts';

const HOST = '127.0.0.1';
const WARM_UP: MysqlLoad = { work: 'select', mode: 'text', clients: 32, reconnect: false };

export const mysqlBenchmark: Benchmark = {
  name: menu.engine,
  summary: 'Sluice against MySQL Router and HAProxy in front of the same MySQL or MariaDB server.',
  help: helpFor(menu),
  async run(args, stage) {
    const options = readOptions(args, menu);
    if (options.help) {
      stage.out(helpFor(menu));
      return 0;
    }
    const server = serverOf(options);
    if (process.platform !== 'linux')
      throw new Error('processor time and memory are read from /proc: this needs Linux');
    // For MySQL Router's key.
    await provisionProgram('openssl', stage.say);
    const engine = { engine: server, engineFamily: 'MYSQL' };
    const poolers = await findPoolers(options, rivalsFor(server), engine, stage);
    const machine = describeMachine();
    const certificate = generateCertificate([HOST, 'localhost']);
    await using database = await startDatabase(server, stage.signal);
    const ground = {
      ...{ poolers, database, certificate, signIn: visit, download, tlsVersion: TLS_VERSION },
      warmUp: (line: Line, measurement: Measurement) => measureLoad(WARM_UP, line, measurement),
      direct: (tls: boolean) => ({ ...database, tls }),
    };
    const versions = { ...versionsOf(poolers), [server]: database.version };
    return await compete(
      { engine: menu.engine, machine, versions, targets },
      ground,
      options,
      stage,
    );
  },
};

function serverOf({ server, rivals = [] }: Options): Server {
  const found = servers.find((one) => one === server);
  if (found === undefined) throw new UsageError(`there is no server ${server}`);
  if (found === 'mariadb' && rivals.includes('router'))
    throw new UsageError('--rival router: MySQL Router knows no MariaDB');
  return found;
}

function rivalsFor(server: Server): Readonly<Record<string, Find<BenchDatabase>>> {
  return server === 'mysql' ? { router, haproxy } : { haproxy };
}
