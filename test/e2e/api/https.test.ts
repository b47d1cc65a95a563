import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { STS } from '@aws-sdk/client-sts';
import { generateCertificate } from '../../../src/net/certificate.ts';
import { eventually } from '../clients/stage.ts';
import { ACCOUNT, ControlStage, REGION } from './control-stage.ts';
import { outcomeOf } from '../../support/outcome.ts';

describe.each([1, 2])('the API by HTTPS, with %d workers', (workers) => {
  const first = generateCertificate(['127.0.0.1']);
  let stage: ControlStage;
  beforeAll(async () => {
    const admin = {
      listen: '127.0.0.1:0',
      tls: { certFile: 'admin.crt', keyFile: 'admin.key' },
    };
    const files = { 'admin.crt': first.certPem, 'admin.key': first.keyPem };
    stage = await ControlStage.open({ settings: { admin, workers }, files, ca: first.certPem });
  });
  afterAll(() => stage.close());

  const account = async (ca: string): Promise<string | undefined> => {
    const sts = new STS({
      endpoint: stage.endpoint,
      region: REGION,
      credentials: stage.credentials,
      maxAttempts: 1,
      requestHandler: { httpsAgent: new Agent({ ca, keepAlive: false }) },
    });
    try {
      return (await sts.getCallerIdentity({})).Account;
    } catch (problem) {
      return String(problem);
    } finally {
      sts.destroy();
    }
  };
  const write = async (certPem: string, keyPem: string): Promise<void> => {
    const { directory } = stage.sluice;
    await Bun.write(join(directory, 'admin.crt'), certPem);
    await Bun.write(join(directory, 'admin.key'), keyPem);
    stage.sluice.signal('SIGHUP');
  };

  test('serves whoever trusts its certificate, and nobody by plain HTTP', async () => {
    expect((await stage.sts.getCallerIdentity({})).Account).toBe(ACCOUNT);
    expect(await account(generateCertificate(['127.0.0.1']).certPem)).not.toBe(ACCOUNT);
    const plain = await fetch(stage.endpoint.replace('https:', 'http:')).then(
      ({ status }) => status,
      () => 0,
    );
    expect(plain).not.toBe(200);
  });

  test('reads the certificate again at SIGHUP', async () => {
    const second = generateCertificate(['127.0.0.1']);
    await write(second.certPem, second.keyPem);
    await eventually(
      () => account(second.certPem),
      (found) => found === ACCOUNT,
    );
    expect(await account(first.certPem)).not.toBe(ACCOUNT);
    await write('half a certi', second.keyPem);
    await stage.sluice.waitForLog(({ event }) => event === 'certificateTrouble');
    expect(await account(second.certPem)).toBe(ACCOUNT);
  });

  test('does not start with a certificate that cannot be used', async () => {
    const admin = { listen: '127.0.0.1:0', tls: { certFile: 'none.crt', keyFile: 'none.key' } };
    const opening = ControlStage.open({ settings: { admin, workers } });
    expect(await outcomeOf(opening)).toThrow('cannot read');
  });
});
