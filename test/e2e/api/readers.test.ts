import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { MysqlClient } from '../../support/mysql-client.ts';
import { mysqlReleasesHere, startMysql } from '../../support/mysql.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { eventually } from '../clients/stage.ts';
import { startSluice } from '../../support/sluice.ts';
import {
  ACCOUNT,
  attempt,
  authEntry,
  ControlStage,
  freePort,
  REGION,
  signIn,
} from './control-stage.ts';

const password = 'readers-password';
const names = ['writer', 'one', 'two'] as const;
type Name = (typeof names)[number];

/** Ordinary servers, each of which says who it is. */
async function startServers(): Promise<Record<Name, EmbeddedServer>> {
  const start = async (name: Name): Promise<EmbeddedServer> => {
    const users = [{ name: 'app', password: new SecretText(password) }];
    const server = await startEmbeddedPostgres({ users, databases: ['app'] });
    await server.query(`ALTER ROLE app SET application_name = '${name}'`);
    return server;
  };
  const [writer, one, two] = await Promise.all(names.map(start));
  if (writer === undefined || one === undefined || two === undefined) throw new Error('too few');
  return { writer, one, two };
}

const where = async (client: RawClient): Promise<unknown> =>
  await client.value("SELECT setting FROM pg_settings WHERE name = 'port'");

describe.each([1, 2])('the readers of a cluster, with %d workers', (workers) => {
  let servers: Record<Name, EmbeddedServer>;
  let stage: ControlStage;
  let ports: { readonly all: number; readonly read: number };
  const clients: RawClient[] = [];

  const register = (name: Name, Role: string): Promise<void> =>
    stage.register(name, servers[name], { DBClusterIdentifier: 'orders', Role });
  const healths = async (): Promise<Record<string, string>> => {
    const { Targets = [] } = await stage.rds.describeDBProxyTargets({ DBProxyName: 'orders' });
    return Object.fromEntries(
      Targets.map(({ RdsResourceId: id, Role, TargetHealth }) => [
        `${id} ${Role ?? 'cluster'}`,
        `${TargetHealth?.State}`,
      ]),
    );
  };
  const portOf = async (name: string): Promise<number> => {
    const { DBProxyEndpoints = [] } = await eventually(
      () => stage.rds.describeDBProxyEndpoints({ DBProxyEndpointName: name }),
      (answer) => answer.DBProxyEndpoints?.[0]?.Status === 'available',
    );
    const ResourceName = DBProxyEndpoints[0]?.DBProxyEndpointArn ?? '';
    const { TagList = [] } = await stage.rds.listTagsForResource({ ResourceName });
    return Number(TagList.find(({ Key }) => Key === 'aws:sluice:port')?.Value);
  };
  const come = async (port: number): Promise<RawClient> => {
    const client = await signIn(port, 'app', password);
    clients.push(client);
    return client;
  };
  const placesOf = async (those: readonly RawClient[]): Promise<ReadonlySet<unknown>> =>
    new Set(await Promise.all(those.map(where)));
  const portsOf = (...those: readonly Name[]): ReadonlySet<unknown> =>
    new Set(those.map((name) => String(servers[name].port)));

  beforeAll(async () => {
    servers = await startServers();
    stage = await ControlStage.open({ settings: { workers } });
    await register('writer', 'writer');
    await register('one', 'reader');
    const arn = await stage.secret('app', 'app', password);
    const roleArn = await stage.role('proxy');
    const all = await stage.proxy('orders', { auth: [authEntry(arn)], roleArn });
    await stage.rds.registerDBProxyTargets({
      DBProxyName: 'orders',
      DBClusterIdentifiers: ['orders'],
    });
    await stage.untilHealth('orders', 'AVAILABLE');
    await stage.rds.createDBProxyEndpoint({
      DBProxyName: 'orders',
      DBProxyEndpointName: 'orders-read',
      VpcSubnetIds: ['subnet-a', 'subnet-b'],
      TargetRole: 'READ_ONLY',
    });
    ports = { all, read: await portOf('orders-read') };
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await stage.close();
    await Promise.all(Object.values(servers).map((server) => server.destroy()));
  });

  test('are told with their roles and health', async () => {
    const wanted = {
      'orders cluster': 'AVAILABLE',
      'writer READ_WRITE': 'AVAILABLE',
      'one READ_ONLY': 'AVAILABLE',
    };
    await eventually(healths, (found) => Object.values(found).every((one) => one === 'AVAILABLE'));
    expect(await healths()).toEqual(wanted);
  });

  test('serve who comes by a READ_ONLY endpoint; the proxy itself leads to the writer', async () => {
    expect(await placesOf([await come(ports.all), await come(ports.all)])).toEqual(
      portsOf('writer'),
    );
    expect(await placesOf([await come(ports.read), await come(ports.read)])).toEqual(
      portsOf('one'),
    );
    expect(await attempt(signIn(ports.read, 'app', 'wrong'))).toContain('28P01');
  });

  test('share the clients among them, and a client stays with its own', async () => {
    await register('two', 'reader');
    await eventually(healths, (found) => found['two READ_ONLY'] === 'AVAILABLE');
    const crowd = await Promise.all(Array.from({ length: 12 }, () => come(ports.read)));
    expect(await placesOf(crowd)).toEqual(portsOf('one', 'two'));
    for (const client of crowd) {
      const places = [await where(client), await where(client), await where(client)];
      expect(new Set(places).size).toBe(1);
    }
  });

  test('that are taken out leave their clients to the others, and drop none of them', async () => {
    const crowd = await Promise.all(Array.from({ length: 12 }, () => come(ports.read)));
    await stage.rdsOperation('DeregisterDatabase', { DBInstanceIdentifier: 'one' });
    await eventually(
      () => placesOf(crowd),
      (places) => places.size === 1,
    );
    expect(await placesOf(crowd)).toEqual(portsOf('two'));
    // The balance is restored by those who come.
    await register('one', 'reader');
    await eventually(
      async () => await where(await come(ports.read)),
      (place) => place === String(servers.one.port),
    );
  });

  test('that die likewise', async () => {
    const crowd = [...clients];
    expect(await placesOf(crowd)).toEqual(portsOf(...names));
    await servers.one.stop();
    await eventually(healths, (found) => found['one READ_ONLY'] === 'UNAVAILABLE');
    expect(await placesOf(crowd)).toEqual(portsOf('writer', 'two'));
    expect(await placesOf([await come(ports.read)])).toEqual(portsOf('two'));
    expect(await placesOf([await come(ports.all)])).toEqual(portsOf('writer'));
  });

  test('are counted by endpoint and by target', async () => {
    const metrics = [...(await stage.sluice.metrics()).keys()];
    const labels = (family: string) =>
      metrics
        .filter((name) => name.startsWith(`${family}{`))
        .map((name) => name.replace(/^[^{]*|,?worker="\d"/g, ''));
    expect(new Set(labels('sluice_client_connections'))).toEqual(
      new Set(['{proxy="orders",endpoint="default"}', '{proxy="orders",endpoint="orders-read"}']),
    );
    expect(new Set(labels('sluice_target_up'))).toEqual(
      new Set(names.map((name) => `{proxy="orders",target_group="default",target="${name}"}`)),
    );
  });

  test('that there are none of are told of at once', async () => {
    for (const name of ['one', 'two'] as const)
      await stage.rdsOperation('DeregisterDatabase', { DBInstanceIdentifier: name });
    await eventually(
      () => attempt(signIn(ports.read, 'app', password)),
      (answer) => answer.includes("doesn't have any associated read-only instances"),
    );
    await register('two', 'reader');
    await eventually(
      () => attempt(signIn(ports.read, 'app', password)),
      (answer) => answer === 'app',
    );
  });

  test('are reached no longer when the endpoint is deleted', async () => {
    const client = await come(ports.read);
    await stage.rds.deleteDBProxyEndpoint({ DBProxyEndpointName: 'orders-read' });
    await client.readEnd();
    await eventually(
      () => attempt(signIn(ports.read, 'app', password)),
      (answer) => answer !== 'app',
    );
    await eventually(
      async () => (await stage.rds.describeDBProxyEndpoints({})).DBProxyEndpoints ?? [],
      (found) => found.length === 0,
    );
    expect(await attempt(signIn(ports.all, 'app', password))).toBe('app');
  });
});

const [release] = await mysqlReleasesHere();
if (release !== undefined)
  test(`readers of ${release} that the settings file declares take over sessions with what they have set`, async () => {
    const users = [{ name: 'app', password: new SecretText(password) }];
    const start = () => startMysql({ release, users, databases: ['app'] });
    const [writer, one, two] = await Promise.all([start(), start(), start()]);
    const databases = [writer, one, two].map(({ host, port }, index) => ({
      identifier: `orders-${index}`,
      engine: release === 'mysql' ? 'mysql' : 'mariadb',
      memberOf: 'orders',
      host,
      port,
      tls: 'disable',
      role: index === 0 ? 'writer' : 'reader',
    }));
    const [listen, at] = [await freePort(), await freePort()];
    const sluice = await startSluice({
      region: REGION,
      account: ACCOUNT,
      secrets: [{ name: 'app', value: { username: 'app', password } }],
      databases,
      proxies: [
        {
          ...{ name: 'orders', engineFamily: 'MYSQL', target: 'orders', auth: [{ secret: 'app' }] },
          listen: `127.0.0.1:${listen}`,
          endpoints: [{ name: 'orders-read', targetRole: 'READ_ONLY', listen: `127.0.0.1:${at}` }],
        },
      ],
    });
    const come = (port: number) =>
      MysqlClient.signIn({ host: '127.0.0.1', port, user: 'app', password, database: 'app' });
    const ask = async (client: MysqlClient, what: string) =>
      String((await client.rows(`SELECT ${what}`))[0]?.[0]);
    const untilTold = (identifier: string, state: string) =>
      sluice.waitForLog((line) => line['target'] === identifier && line['state'] === state);
    for (const { identifier } of databases) await untilTold(identifier, 'AVAILABLE');
    const writing = await come(listen);
    expect(await ask(writing, '@@port')).toBe(String(writer.port));
    const reading = [await come(at), await come(at)];
    const places = await Promise.all(reading.map((client) => ask(client, '@@port')));
    expect(places.toSorted()).toEqual([one, two].map(({ port }) => String(port)).toSorted());
    const lost = reading[places.indexOf(String(one.port))];
    if (lost === undefined) throw new Error('nobody is at the first reader');
    await lost.rows("SET @mine = 7, sql_mode = 'ANSI_QUOTES'");
    // When this is answered it is known what has been set: until then the session is at that reader.
    expect(await ask(lost, '@mine')).toBe('7');
    await one.stop();
    await untilTold('orders-1', 'UNAVAILABLE');
    expect(await ask(lost, '@@port')).toBe(String(two.port));
    expect(await ask(lost, '@mine')).toBe('7');
    expect(await ask(lost, '@@sql_mode')).toBe('ANSI_QUOTES');
    await Promise.all([writing, ...reading].map((client) => client.end()));
    expect(await sluice.stop()).toBe(0);
    await Promise.all([writer, one, two].map((server) => server.destroy()));
  });
