import { join } from 'node:path';
import { describeMysqlDrivers } from '../driver.ts';

function script(name: string): { readonly command: readonly string[]; readonly tls: false } {
  return { command: ['php', join(import.meta.dirname, `${name}_scenarios.php`)], tls: false };
}

describeMysqlDrivers([
  {
    client: 'PHP PDO',
    ...script('pdo'),
    scenarios: {
      framework: [],
      prepared: [],
      transactions: [],
      several_results: [],
      local_files: [],
      temporary_tables: ['temporaryObject'],
    },
  },
]);

// Apart, since who asks for FOUND_ROWS() makes others of its kind stay on their connections for a moment.
describeMysqlDrivers([
  {
    client: 'PHP mysqli',
    ...script('mysqli'),
    scenarios: { framework: [], prepared: [], commands: [], asynchronous: [], found_rows: [] },
  },
]);
