import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { ShopDatabase } from './database.ts';

/** PostgreSQL's SSLRequest. */
const postgresRequest = Buffer.from('0000000804d2162f', 'hex');
/** MySQL's: protocol 4.1, TLS, secure connection, authentication by plug-ins; packets of 16 MB; utf8mb4. */
const mysqlRequest = Buffer.from(`20000001008a0800ffffff002d${'00'.repeat(23)}`, 'hex');

/** The certificate that a proxy shows, in PEM, as `openssl s_client -starttls` finds it out: taken as it is. */
export async function certificateAt(
  host: string,
  port: number,
  family: ShopDatabase['engineFamily'],
): Promise<string> {
  const socket = connect(port, host);
  try {
    // PostgreSQL's client speaks first, MySQL's server does.
    if (family === 'POSTGRESQL') socket.write(postgresRequest);
    await arrival(socket);
    if (family === 'MYSQL') socket.write(mysqlRequest);
    const certificate = await shownTo(socket, host);
    return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
  } finally {
    socket.destroy();
  }
}

function arrival(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the proxy has hung up')));
  });
}

function shownTo(socket: Socket, servername: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.removeAllListeners();
    const secure: TLSSocket = connectTls(
      // It is what is asked for, so that nothing is known yet to hold it to.
      { socket, servername, rejectUnauthorized: false },
      () => {
        resolve(secure.getPeerCertificate(true).raw);
        secure.destroy();
      },
    );
    secure.once('error', reject);
  });
}
