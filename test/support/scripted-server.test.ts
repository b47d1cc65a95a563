import { afterEach, describe, expect, test } from 'bun:test';
import { generateCertificate } from '../../src/net/certificate.ts';
import { differences } from './differential.ts';
import { backend, frontend } from './messages.ts';
import { RawClient } from './raw-client.ts';
import { hang, readQuery, startScriptedServer, welcome } from './scripted-server.ts';
import type { Script, ScriptedServer } from './scripted-server.ts';
import { transcript } from './transcript.ts';
import { outcomeOf } from './outcome.ts';

const servers: ScriptedServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

function serve(script: Script): ScriptedServer & { readonly user: string } {
  const server = startScriptedServer(script);
  servers.push(server);
  return Object.assign(server, { user: 'someone' });
}

function selectOne(answer: string): Script {
  return async (peer) => {
    await welcome(peer);
    await readQuery(peer);
    peer.send(backend.rowDescription('a'), backend.dataRow(answer), backend.complete('SELECT 1'));
    peer.send(backend.notice({ S: 'NOTICE', C: '00000', M: 'done', F: 'x.c' }), backend.ready());
    await peer.readMessage(); // the goodbye
  };
}

describe('the scripted server', () => {
  test('lets a client in and answers as it was told', async () => {
    const server = serve(selectOne('1'));
    const client = await RawClient.signIn(server);
    expect(client.welcome.pid).toBe(4711);
    expect(transcript(await client.query('SELECT 1'))).toEqual([
      'T a:25',
      'D 1',
      'C SELECT 1',
      'N NOTICE 00000 done',
      'Z I',
    ]);
    client.destroy();
    expect(server.connections).toBe(1);
    await server.connected(1);
  });

  test('leaves in the middle of a message', async () => {
    const server = serve(async (peer) => {
      await welcome(peer);
      await readQuery(peer);
      peer.send(backend.dataRow('lost').subarray(0, 9));
    });
    const client = await RawClient.signIn(server);
    client.send(frontend.query('SELECT 1'));
    expect(await outcomeOf(client.read())).toThrow('closed the connection');
    expect(client.socket.unread).toBe(9);
    expect(server.problems).toEqual([]);
  });

  test('speaks TLS when told to', async () => {
    const { keyPem: key, certPem: cert } = generateCertificate(['127.0.0.1']);
    const server = serve(async (peer) => {
      await peer.readUntyped();
      peer.send(Buffer.from('S'));
      await peer.startTls({ key, cert }, 'server');
      await welcome(peer);
      await hang(peer);
    });
    const client = await RawClient.signIn({ ...server, tls: 'startTls', ca: cert });
    expect(client.socket.tlsVersion).toBe('TLSv1.3');
    client.destroy();
    const stranger = RawClient.connect({
      ...server,
      tls: 'startTls',
      ca: cert,
      serverName: 'other',
    });
    expect(await outcomeOf(stranger)).toThrow();
  });
});

describe('differences', () => {
  test('are told by exchange, and masked where asked for', async () => {
    const [one, two] = [serve(selectOne('pid 1')), serve(selectOne('pid 2'))];
    expect(await differences([], one, two)).toEqual([]);
    expect(await differences(['SELECT'], one, two, { masks: [/\d+$/] })).toEqual([]);
    expect(await differences(['SELECT'], one, two)).toMatchObject([
      { exchange: 0, said: 'SELECT', direct: { 1: 'D pid 1' }, proxied: { 1: 'D pid 2' } },
    ]);
  });

  test('tell where one side closes', async () => {
    const gone = serve(async (peer) => {
      await welcome(peer);
      await readQuery(peer);
    });
    const found = await differences(['SELECT'], serve(selectOne('1')), gone);
    expect(found).toMatchObject([{ exchange: 0, proxied: ['closed'] }]);
  });
});
