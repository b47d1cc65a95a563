import { expect } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunction, Functions } from '../../../src/cli/demo/function/functions.ts';
import type { FunctionAnswer, FunctionRequest } from '../../../src/cli/demo/function/functions.ts';
import { generateCertificate } from '../../../src/net/certificate.ts';
import { nodeProgram } from '../../support/node-client.ts';
import type { SettingsParts, Sluice } from '../../support/sluice.ts';
import { startSluice } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';

/** Database connections that all instances share. */
const CONNECTIONS = 3;
const CLIENTS = 'sluice_client_connections{proxy="app",endpoint="default"}';
const accessKey = { accessKeyId: 'AKIAFUNCTION00000000', secretAccessKey: 'a-secret-access-key' };
const proxyCertificate = generateCertificate(['localhost']);
const otherCertificate = generateCertificate(['elsewhere.example.com']);

export type Environment = Readonly<Record<string, string>>;

/** Where the function has been built; beside it, the certificates `proxy.crt` and `other.crt`. */
export interface Workshop {
  readonly directory: string;
  readonly program: string;
}

export async function openWorkshop(): Promise<Workshop> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-function-'));
  const program = await buildFunction(directory);
  await writeFile(join(directory, 'proxy.crt'), proxyCertificate.certPem);
  await writeFile(join(directory, 'other.crt'), otherCertificate.certPem);
  return { directory, program };
}

export async function closeWorkshop({ directory }: Workshop): Promise<void> {
  await rm(directory, { recursive: true });
}

/** Sluice in front of one database, with the function in front of it. */
export class FunctionStage {
  readonly sluice: Sluice;
  readonly #workshop: Workshop;
  readonly #env: Environment;
  readonly #running: Functions[] = [];

  private constructor(sluice: Sluice, workshop: Workshop, env: Environment) {
    this.sluice = sluice;
    this.#workshop = workshop;
    this.#env = env;
  }

  /**
   * Starts two proxies: `app`, and `misnamed`, whose certificate is for another name.
   *
   * @param settingsFor makes the settings for the database of these
   * @param proxy what they say of both
   * @param env what the function is told of the database
   */
  static async open(
    workshop: Workshop,
    settingsFor: (parts: SettingsParts) => object,
    { proxy, env }: { readonly proxy: object; readonly env: Environment },
  ): Promise<FunctionStage> {
    const named = (name: string, certificate: string): object => ({
      name,
      listen: '127.0.0.1:0',
      hostnames: ['localhost'],
      target: 'db',
      requireTls: true,
      tls: { certFile: `${certificate}.crt`, keyFile: `${certificate}.key` },
      pool: { maxConnectionsPercent: 50 },
      ...proxy,
    });
    const settings = settingsFor({
      // One more than clients get: each proxy watches the database on a connection of its own.
      database: { maxConnections: 2 * (CONNECTIONS + 1) },
      proxies: [named('app', 'proxy'), named('misnamed', 'other')],
      principals: [
        {
          ...accessKey,
          policy: { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' } },
        },
      ],
      admin: { listen: '127.0.0.1:0' },
    });
    const sluice = await startSluice(settings, {
      files: {
        'proxy.crt': proxyCertificate.certPem,
        'proxy.key': proxyCertificate.keyPem,
        'other.crt': otherCertificate.certPem,
        'other.key': otherCertificate.keyPem,
      },
    });
    return new FunctionStage(sluice, workshop, env);
  }

  /** Ends all that runs; no secret has come into the log. */
  async close(): Promise<void> {
    for (const one of this.#running) await one[Symbol.asyncDispose]();
    expect(await this.sluice.stop()).toBe(0);
    expect(JSON.stringify(this.sluice.logs())).not.toMatch(/X-Amz-Signature=|a-secret-access-key/);
  }

  /** The function, with IAM tokens at `app` where `env` says nothing else. */
  functions(env: Environment = {}, node = nodeProgram): Functions {
    const { PATH = '' } = process.env;
    const { program, directory } = this.#workshop;
    const one = new Functions(
      program,
      {
        PATH,
        REGION: 'eu-central-1',
        DB_PROXY_ENDPOINT: 'localhost',
        DB_PROXY_PORT: this.portOf('app'),
        NODE_EXTRA_CA_CERTS: join(directory, 'proxy.crt'),
        AWS_EC2_METADATA_DISABLED: 'true',
        HOME: directory,
        AWS_ACCESS_KEY_ID: accessKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: accessKey.secretAccessKey,
        ...this.#env,
        ...env,
      },
      node,
    );
    this.#running.push(one);
    return one;
  }

  portOf(proxy: 'app' | 'misnamed'): string {
    return String(this.sluice.endpoint(proxy).port);
  }

  /** Whatever is wrong: the client hears nothing of it, and neither it nor the log hears a secret. */
  async expectFailure(id: string, env: Environment, why: RegExp): Promise<void> {
    const answer = await this.functions(env).invoke(order(id));
    expect({ statusCode: answer.statusCode, body: JSON.parse(answer.body) as unknown }).toEqual({
      statusCode: 500,
      body: { message: 'Internal server error', requestId: id },
    });
    expect(answer.log).toHaveLength(1);
    expect(JSON.parse(answer.log[0] ?? '')).toMatchObject({ level: 'ERROR', requestId: id });
    expect(answer.log[0]).toMatch(why);
    expect(JSON.stringify(answer)).not.toMatch(/X-Amz|guessed|a-secret-access-key|password'/);
  }

  /** A hundred orders at once, with ids that begin with `crowd`: none fails, and they share the connections. */
  async expectCrowdShares(): Promise<void> {
    const invoked = this.functions({ PAYMENT_MS: '25' });
    const before = this.sluice.logs('serverConnected').length;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) => invoked.invoke(order(`crowd ${at}`, 1 + (at % 3)))),
    );
    expect(answers.filter(({ statusCode }) => statusCode !== 201)).toEqual([]);
    const connected = this.sluice.logs('serverConnected').length - before;
    expect(connected).toBeLessThanOrEqual(CONNECTIONS);
  }

  async expectNothingLeft(): Promise<void> {
    await eventually(
      async () => (await this.sluice.metrics()).get(CLIENTS),
      (clients) => clients === 0,
    );
    expect(this.sluice.logs('pinned')).toEqual([]);
  }
}

export function order(id: string, productId: unknown = 7): FunctionRequest {
  return { id, method: 'POST', path: '/orders', body: JSON.stringify({ productId }) };
}

/** An answer, with its body read. */
export function said({ statusCode, body, log }: FunctionAnswer): object {
  return { statusCode, body: JSON.parse(body) as unknown, log };
}
