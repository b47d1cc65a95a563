import { spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import * as tls from 'node:tls';
import { EMPTY } from '../../src/base/bytes.ts';
import type { TlsServer } from '../../src/net/tls.ts';
import { tlsServer } from '../../src/net/tls.ts';
import { listening, openPorch } from './links.ts';

/**
 * What a listener of ours says in a handshake of TLS 1.2, where certificates are in clear. It is in a process of its own, whose
 * system trusts the certificates in this folder and no others.
 */
export function shownWhere(
  folder: string,
  { keyPem, certPem }: { readonly keyPem: string; readonly certPem: string },
): Buffer {
  const env = { ...process.env, SSL_CERT_DIR: folder };
  const program = [import.meta.path, keyPem, certPem];
  const { stdout, stderr } = spawnSync(process.execPath, program, { env, timeout: 20_000 });
  if (stdout.length === 0) throw new Error(String(stderr));
  return stdout;
}

async function shownBy(server: TlsServer): Promise<Uint8Array> {
  const porch = openPorch();
  const said: Buffer[] = [];
  const relay = createServer((client) => {
    const onward = connect(porch.port, '127.0.0.1');
    client.pipe(onward).pipe(client);
    onward.on('data', (bytes: Buffer) => said.push(bytes));
  });
  const options = { host: '127.0.0.1', port: await listening(relay), rejectUnauthorized: false };
  const client = tls.connect({ ...options, maxVersion: 'TLSv1.2' });
  const agreed = new Promise((resolve) => client.once('secureConnect', resolve));
  const { link } = await porch.arrival();
  await Promise.all([agreed, link.startTlsAsServer(server, EMPTY)]);
  return Buffer.concat(said);
}

if (import.meta.main) {
  const [keyPem = '', certPem = ''] = process.argv.slice(2);
  process.stdout.write(await shownBy(tlsServer(keyPem, certPem, [])));
  process.exit(0);
}
