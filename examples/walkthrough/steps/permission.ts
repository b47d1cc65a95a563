import type { Around } from '../around.ts';
import type { Calls } from '../cloud.ts';
import type { Gateway } from '../gateway.ts';
import { orderOnce } from '../load.ts';
import { secondsSince } from '../polling.ts';
import type { Seen } from '../teller.ts';
import { healthWhen } from './proxy.ts';
import { allowReading, POLICY_NAME, ROLE_NAME } from './role.ts';
import type { SecretMade } from './secret.ts';

const MISSING = 'secretsmanager:GetSecretValue';

type Parts = Pick<Around, 'clock' | 'teller'> & {
  readonly secret: SecretMade;
  readonly gateway: Gateway;
};

/** Without its policy the role is of no use to the proxy, which says so. */
export async function takeAway(
  calls: Calls,
  { clock, teller, gateway }: Parts,
): Promise<Seen<void>> {
  const began = clock.nowMs();
  await calls.call('DeleteRolePolicy', { RoleName: ROLE_NAME, PolicyName: POLICY_NAME });
  teller.progress('waiting until the target is UNAVAILABLE');
  const { Reason, Description = '' } = await healthWhen(
    calls,
    clock,
    ({ State }) => State === 'UNAVAILABLE',
  );
  const seconds = secondsSince(clock, began);
  if (Reason !== 'AUTH_FAILURE' || !Description.includes(MISSING))
    throw new Error(`that does not name ${MISSING}: ${Reason}: ${Description}`);
  const refusal = await orderOnce(gateway, 7);
  if (refusal === undefined) throw new Error('an order was taken nevertheless');
  for (const line of inLines(`${Reason}: ${Description}`)) teller.progress(line);
  return {
    value: undefined,
    detail: `after ${seconds} s the proxy says what is missing; an order gets ${refusal.slice(0, 3)}`,
    figures: { reason: Reason, description: Description, diagnosedAfterSeconds: seconds },
  };
}

export async function giveBack(
  calls: Calls,
  { clock, teller, secret, gateway }: Parts,
): Promise<Seen<void>> {
  const began = clock.nowMs();
  await allowReading(calls, secret);
  teller.progress('waiting until the target is AVAILABLE');
  await healthWhen(calls, clock, ({ State }) => State === 'AVAILABLE');
  const seconds = secondsSince(clock, began);
  const refusal = await orderOnce(gateway, 7);
  if (refusal !== undefined) throw new Error([refusal, ...gateway.log].join('\n'));
  return {
    value: undefined,
    detail: `after ${seconds} s the target is AVAILABLE, and the next order is taken`,
    figures: { recoveredAfterSeconds: seconds },
  };
}

/** Words in lines that fit. */
function inLines(text: string): readonly string[] {
  return (text.match(/\S.{0,88}(?!\S)/g) ?? [text]).map((line) => line.trim());
}
