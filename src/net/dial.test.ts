import { afterAll, describe, expect, test } from 'bun:test';
import { listenTo, openPorch } from '../../test/support/links.ts';
import { utf8 } from '../base/bytes.ts';
import { ManualClock, systemClock } from '../base/clock.ts';
import { dial } from './dial.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const porch = openPorch();
afterAll(() => porch.stop());
const address = { host: '127.0.0.1', port: porch.port };

/** Counts the timers that are set and not stopped. */
function countingAfter(): {
  readonly after: typeof systemClock.after;
  readonly open: () => number;
} {
  let open = 0;
  return {
    open: () => open,
    after(delayMs, work) {
      open += 1;
      const stop = systemClock.after(delayMs, work);
      return () => {
        open -= 1;
        stop();
      };
    },
  };
}

describe('dial', () => {
  test('connects, and stops its timer', async () => {
    const { after, open } = countingAfter();
    const { link } = listenTo(await dial(address, 5_000, after));
    const { ear } = await porch.arrival();
    link.write(utf8('x'));
    await ear.bytes.take(1);
    expect(open()).toBe(0);
    link.destroy();
  });

  test.each([
    [
      'a port where nobody listens',
      '127.0.0.1',
      1,
      '127.0.0.1:1: nothing listens there (ECONNREFUSED)',
    ],
    ['the same by IPv6', '::1', 1, '[::1]:1: nothing listens there (ECONNREFUSED)'],
    [
      'an unknown name',
      'no.such.host.invalid',
      5432,
      'no.such.host.invalid:5432: the host name is unknown (ENOTFOUND)',
    ],
    ['what is no name', 'no host', 5432, 'no host:5432: the host name is unknown (ENOTFOUND)'],
    [
      'what is no port',
      '127.0.0.1',
      65_536,
      '127.0.0.1:65536: SocketOptions.port must be in the range [0, 65535] (received 65536)',
    ],
  ])('says clearly that it cannot reach %s', async (_what, host, port, why) => {
    const { after, open } = countingAfter();
    const attempt = dial({ host, port }, 5_000, after);
    expect(await attempt.catch((error: Error) => error.message)).toStartWith(
      `no connection to ${why}`,
    );
    expect(open()).toBe(0);
  });

  test('gives up in time, and closes a connection that comes too late', async () => {
    const clock = new ManualClock();
    const attempt = dial(address, 3_000, (delayMs, work) => clock.after(delayMs, work));
    clock.advance(3_000); // the connection cannot have been reported yet
    expect(await attempt.catch((error: Error) => error.message)).toBe(
      `no connection to 127.0.0.1:${porch.port} within 3000 ms`,
    );
    const { ear } = await porch.arrival();
    await ear.closing;
    expect(ear.received).toBe(0);
  });

  test('a failure after the timeout is no second one', async () => {
    const clock = new ManualClock();
    const attempt = dial({ host: '127.0.0.1', port: 1 }, 1, (delayMs, work) =>
      clock.after(delayMs, work),
    );
    clock.advance(1);
    expect(await outcomeOf(attempt)).toThrow('within 1 ms');
    const { after } = systemClock;
    expect(await outcomeOf(dial({ host: '127.0.0.1', port: 1 }, 5_000, after))).toThrow(
      'nothing listens',
    );
  });
});
