import type { Around } from '../around.ts';
import type { Calls } from '../cloud.ts';
import type { Gateway } from '../gateway.ts';
import { Load } from '../load.ts';
import { until } from '../polling.ts';
import type { Seen } from '../teller.ts';
import type { SecretMade } from './secret.ts';
import { expectNoFailure } from './run.ts';

const CUSTOMERS = 3;
const MORE_CUSTOMERS = 5;
const TELL_EVERY_MS = 2_000;
/** Before the password changes, and after that. */
const INVOCATIONS = 6;

type Parts = Pick<Around, 'clock' | 'database' | 'teller' | 'sluice'> & {
  readonly secret: SecretMade;
  readonly gateway: Gateway;
};

/** Changes the password in the database and in the secret while customers order, of whom none may notice. */
export async function rotate(calls: Calls, parts: Parts): Promise<Seen<void>> {
  const { clock, database, teller, sluice, gateway } = parts;
  const ordersBefore = await database.countOrders();
  await using load = new Load(gateway, clock);
  load.join(CUSTOMERS);
  await load.ended(INVOCATIONS);
  const before = load.succeeded;
  const tell = (): void =>
    teller.progress(`${load.succeeded} orders so far, ${load.failures.length} failed`);
  using telling = new DisposableStack();
  telling.defer(clock.every(TELL_EVERY_MS, tell));
  await changePassword(calls, parts);
  const connectionsBefore = sluice.logs('serverConnected').length;
  tell();
  // Orders that wait keep their connections, so that the pool has to open new ones: with the new password.
  load.join(MORE_CUSTOMERS);
  teller.progress('the table is locked for a moment, so that orders take more connections');
  const opened = (): number => sluice.logs('serverConnected').length - connectionsBefore;
  await database.holdOrders(async () => {
    await until(
      clock,
      async () => opened(),
      (connections) => connections > 0,
    );
  });
  await load.ended(INVOCATIONS);
  await load.stop();
  expectNoFailure(load, gateway);
  const rows = (await database.countOrders()) - ordersBefore;
  const invocations = load.succeeded;
  return {
    value: undefined,
    detail: `${invocations} orders, 0 failed; ${opened()} connections opened with the new password`,
    figures: {
      invocations,
      before,
      failed: load.failures.length,
      rows,
      connections: opened(),
    },
  };
}

/** Waits until the version with the new password is the current one. */
async function changePassword(calls: Calls, { secret, clock }: Parts): Promise<void> {
  const { VersionId } = await calls.call('RotateSecret', { SecretId: secret.arn });
  const ask = async (): Promise<Readonly<Record<string, readonly string[]>>> =>
    (await calls.again('DescribeSecret', { SecretId: secret.arn })).VersionIdsToStages;
  await until(clock, ask, (stages) => stages[VersionId]?.includes('AWSCURRENT') === true);
}
