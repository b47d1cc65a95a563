import { expect, test } from 'bun:test';
import { generateCertificate } from './certificate.ts';
import { listenHttp } from './http.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const local = { host: '127.0.0.1', port: 0 };

test('a body up to the limit is read, a longer one is refused', async () => {
  const server = listenHttp(local, async (request) => new Response(await request.text()), {
    bodyLimitBytes: 1000,
  });
  const post = (size: number): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: 'x'.repeat(size) });
  expect((await (await post(1000)).text()).length).toBe(1000);
  expect((await post(1001)).status).toBe(413);
  await server.stop();
});

test('a body of unknown length is bounded too', async () => {
  const count = async (request: Request): Promise<Response> =>
    new Response(String((await request.bytes()).length));
  const server = listenHttp(local, count, { bodyLimitBytes: 1000 });
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < 50; i += 1) controller.enqueue(new Uint8Array(100));
      controller.close();
    },
  });
  const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body });
  expect(response.status).toBe(413);
  await server.stop();
});

test('what a handler throws is not shown', async () => {
  const server = listenHttp(local, () => {
    throw new Error('inner matters');
  });
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
  await server.stop();
});

test('stop closes what is open', async () => {
  const asked = Promise.withResolvers<void>();
  const server = listenHttp(local, () => {
    asked.resolve();
    return new Promise<Response>(() => {});
  });
  const pending = fetch(`http://127.0.0.1:${server.port}/`).then(
    () => 'answered',
    () => 'closed',
  );
  await asked.promise;
  await server.stop();
  expect(await pending).toBe('closed');
  expect(await outcomeOf(fetch(`http://127.0.0.1:${server.port}/`))).toThrow();
});

test('a certificate is exchanged for those who come from then on', async () => {
  const [first, second] = [generateCertificate(['localhost']), generateCertificate(['localhost'])];
  const server = listenHttp(local, () => new Response('here'), { bodyLimitBytes: 10, tls: first });
  const ask = (ca: string): Promise<string> =>
    fetch(`https://localhost:${server.port}/`, { tls: { ca }, keepalive: false }).then(
      (response) => response.text(),
      () => 'not trusted',
    );
  expect([await ask(first.certPem), await ask(second.certPem)]).toEqual(['here', 'not trusted']);
  server.renew(second);
  expect([await ask(first.certPem), await ask(second.certPem)]).toEqual(['not trusted', 'here']);
  expect(() => server.renew({ ...second, keyPem: first.keyPem })).toThrow();
  expect(await ask(second.certPem)).toBe('here');
  await server.stop();
  expect(await ask(second.certPem)).toBe('not trusted');
});

test('a certificate of no use keeps it from listening', () => {
  const tls = { certPem: 'half a certi', keyPem: 'half a key' };
  expect(() => listenHttp(local, () => new Response(), { bodyLimitBytes: 10, tls })).toThrow();
});
