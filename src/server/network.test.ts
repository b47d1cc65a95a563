import { afterAll, describe, expect, test } from 'bun:test';
import { openPorch } from '../../test/support/links.ts';
import { Bug } from '../base/assert.ts';
import { text, utf8 } from '../base/bytes.ts';
import { ManualClock, systemClock } from '../base/clock.ts';
import type { Conversation } from '../core/conversation.ts';
import { read, send, startTls } from '../core/conversation.ts';
import type { Link } from '../core/link.ts';
import { generateCertificate } from '../net/certificate.ts';
import { tlsClient, tlsServer } from '../net/tls.ts';
import { SocketNetwork } from './network.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const porch = openPorch();
const other = openPorch();
afterAll(() => {
  porch.stop();
  other.stop();
});
const { keyPem, certPem } = generateCertificate(['localhost']);

describe('the network of a proxy', () => {
  test('dials its target as it is at this moment', async () => {
    const network = new SocketNetwork(systemClock, { host: '127.0.0.1', port: porch.port });
    const first = await network.dial(5_000);
    network.target = { host: '127.0.0.1', port: other.port };
    const second = await network.dial(5_000);
    expect([first.peer, second.peer]).toEqual([
      `127.0.0.1:${porch.port}`,
      `127.0.0.1:${other.port}`,
    ]);
    await Promise.all([porch.arrival(), other.arrival()]);
    for (const link of [first, second]) link.destroy();
  });

  test("dials by the proxy's own clock", async () => {
    const clock = new ManualClock();
    const network = new SocketNetwork(clock, { host: '127.0.0.1', port: porch.port });
    const dialling = network.dial(700);
    clock.advance(700);
    expect(await outcomeOf(dialling)).toThrow('within 700 ms');
    await porch.arrival();
  });

  test('talks by the TLS of this moment, on both sides', async () => {
    const network = new SocketNetwork(systemClock, { host: '127.0.0.1', port: porch.port });
    network.tlsServer = tlsServer(keyPem, certPem, []);
    network.tlsClient = tlsClient('require', 'localhost', {});
    function* ask(): Conversation<void> {
      yield* startTls('client');
      yield* send(utf8('hello'));
    }
    function* answer(): Conversation<string> {
      yield* startTls('server');
      return text(yield* read(5));
    }
    const link = await network.dial(5_000);
    const { link: accepted } = await porch.arrival();
    const options = { timeoutMs: 5_000 };
    const [, heard] = await Promise.all([
      network.talk(link, ask(), options),
      network.talk(accepted, answer(), options),
    ]);
    expect(heard.result).toBe('hello');
    expect([link.tlsVersion, accepted.tlsVersion]).toEqual(['TLSv1.3', 'TLSv1.3']);
    link.destroy();
  });

  test('TD-27: goes where the target sends it, and holds certificates to the name there', async () => {
    const network = new SocketNetwork(systemClock, { host: 'localhost', port: porch.port });
    const there = generateCertificate(['127.0.0.1']);
    network.tlsServer = tlsServer(there.keyPem, there.certPem, []);
    function* ask(): Conversation<void> {
      yield* startTls('client');
    }
    function* answer(): Conversation<void> {
      yield* startTls('server');
    }
    async function problemWith(serverName: string): Promise<string> {
      network.tlsClient = tlsClient('verify-full', serverName, { caPem: there.certPem });
      const link = await network.dial(5_000, { host: '127.0.0.1', port: other.port });
      const { link: accepted } = await other.arrival();
      const options = { timeoutMs: 5_000 };
      const answering = network.talk(accepted, answer(), options).catch(() => {});
      try {
        await network.talk(link, ask(), options);
        return 'none';
      } catch (error) {
        return String(error);
      } finally {
        link.destroy();
        await answering;
        accepted.destroy();
      }
    }
    expect(await problemWith('localhost')).toBe('none');
    // Whoever has named the certificate means it.
    expect(await problemWith('cluster.example')).toContain('cluster.example');
  });

  test('talks over sockets only', async () => {
    const network = new SocketNetwork(systemClock, { host: '127.0.0.1', port: porch.port });
    const imitation = {} as Link;
    expect(() => network.talk(imitation, read(1), { timeoutMs: 1 })).toThrow(Bug);
  });
});
