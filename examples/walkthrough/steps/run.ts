import type { Around } from '../around.ts';
import type { FunctionProgram } from '../gateway.ts';
import { Gateway } from '../gateway.ts';
import { Load } from '../load.ts';
import type { Seen } from '../teller.ts';

const INVOCATIONS = 12;
const CUSTOMERS = 4;

type Parts = Pick<Around, 'clock' | 'database' | 'teller'> & {
  readonly program: FunctionProgram;
  /** The gateway goes on after this step. */
  readonly cleanup: AsyncDisposableStack;
};

/** Has customers order something, and looks into the database for the orders. */
export async function runFunction({
  clock,
  database,
  teller,
  program,
  cleanup,
}: Parts): Promise<Seen<Gateway>> {
  const gateway = cleanup.use(new Gateway(program));
  teller.call(`curl ${gateway.url}/products/7`);
  const response = await fetch(`${gateway.url}/products/7`);
  const answer = `${response.status} ${await response.text()}`;
  teller.progress(answer);
  if (!response.ok) throw new Error([answer, ...gateway.log].join('\n'));
  teller.call(`curl ${gateway.url}/orders --data '{"productId":7}'`);
  const load = new Load(gateway, clock);
  load.join(CUSTOMERS);
  await load.ended(INVOCATIONS - CUSTOMERS);
  await load.stop();
  expectNoFailure(load, gateway);
  const rows = await database.countOrders();
  if (rows !== load.succeeded)
    throw new Error(`${load.succeeded} orders were taken, and ${rows} are in the database`);
  return {
    value: gateway,
    detail: `${load.succeeded} orders by as many processes, and ${rows} rows in the database`,
    figures: { invocations: load.succeeded, failed: load.failures.length, rows },
  };
}

/** Throws with what the gateway and the function have said. */
export function expectNoFailure({ failures, succeeded }: Load, gateway: Gateway): void {
  const [first] = failures;
  if (first === undefined) return;
  const all = succeeded + failures.length;
  throw new Error([`${failures.length} of ${all} failed: ${first}`, ...gateway.log].join('\n'));
}
