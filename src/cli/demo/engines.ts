import type { EngineFamily } from '../../core/engine.ts';
import type { Client } from './client.ts';
import { mariadb, mysql, psql } from './client.ts';
import type { DemoDatabase, Surroundings } from './database.ts';
import { startMysqlDatabase } from './mysql/database.ts';
import { startPostgresDatabase } from './postgres/database.ts';

/** The databases that the demonstration can be given with, by the names that settings have for them. */
export const engineNames = ['postgres', 'mysql', 'mariadb'] as const;
export type EngineName = (typeof engineNames)[number];

export interface DemoEngine {
  readonly title: string;
  readonly family: EngineFamily;
  /** For `--keep`. */
  readonly client: Client;
  /** What there is to say of the function. */
  readonly remark: string;
  start(surroundings: Surroundings): Promise<DemoDatabase>;
}

const sequelize = '\nThe function is that of examples/lambda-sequelize, under Node.';

export const engines: Readonly<Record<EngineName, DemoEngine>> = {
  postgres: {
    title: 'PostgreSQL',
    family: 'POSTGRESQL',
    client: psql,
    remark: '',
    start: startPostgresDatabase,
  },
  mysql: {
    title: 'MySQL',
    family: 'MYSQL',
    client: mysql,
    remark: sequelize,
    start: (surroundings) => startMysqlDatabase('mysql', surroundings),
  },
  mariadb: {
    title: 'MariaDB',
    family: 'MYSQL',
    client: mariadb,
    remark: sequelize,
    start: (surroundings) => startMysqlDatabase('mariadb', surroundings),
  },
};
