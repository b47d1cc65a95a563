import { join } from 'node:path';
import { describeDrivers } from '../driver.ts';

function script(name: string): readonly string[] {
  return ['php', join(import.meta.dirname, `${name}_scenarios.php`)];
}

describeDrivers([
  {
    client: 'PHP PDO',
    command: script('pdo'),
    scenarios: {
      framework: [],
      real_prepares: [],
      other_prepares: [],
      transactions: [],
      copies: [],
      last_insert_id: ['sequence'],
      scroll_cursor: ['heldCursor'],
      listen: ['listen'],
    },
  },
]);

// Apart, since who asks for a last value makes Sluice keep connections for those who insert.
describeDrivers([
  {
    client: 'PHP pgsql',
    command: script('pgsql'),
    scenarios: { settings: [], prepared: [], asynchronous: [], copies: [] },
  },
]);
