import type { Host } from '../host.ts';
import { SqlError } from '../types/errors.ts';
import type { Login } from '../wire/login.ts';
import { feature, knownVersion } from '../wire/login.ts';
import type { Reply } from '../wire/reply.ts';
import { doneKind, doneStatus, envChange } from '../wire/reply.ts';
import { languages } from './options.ts';
import { Session } from './session.ts';

const VERSION = [16, 0, 0x10, 0x13];
const DEFAULT_BYTES = 4096;

export interface SignIn {
  readonly version: number;
  readonly packetBytes: number;
  /** Undefined for who is not let in. */
  readonly session: Session | undefined;
  tell(reply: Reply): void;
}

/** Who it is, and what it is told. */
export function logIn(host: Host, login: Login): SignIn {
  const version = knownVersion(login.tdsVersion);
  const refuse = (...all: SqlError[]): SignIn => ({
    ...{ version, packetBytes: DEFAULT_BYTES, session: undefined },
    tell(reply) {
      for (const one of all) reply.error(one);
      reply.done(doneKind.batch, doneStatus.error, 0);
    },
  });
  if (host.engine.sessions.size >= host.maxConnections)
    return refuse(
      new SqlError(
        17_809,
        `Could not connect because the maximum number of '${host.maxConnections}' user connections has already been reached. The system administrator can use sp_configure to increase the maximum value. The connection has been closed.`,
        20,
      ),
    );
  const failed = new SqlError(18_456, `Login failed for user '${login.userName}'.`, 14);
  const password = findUser(host, login.userName);
  if (login.usesSspi)
    return refuse(
      new SqlError(
        18_452,
        'Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.',
        14,
      ),
    );
  if (password === undefined || password !== login.password) return refuse(failed);
  const { security } = host.engine;
  const home =
    security.login(login.userName)?.database ?? host.options.defaultDatabases?.[login.userName];
  const asked = login.database || (home ?? 'master');
  const database = host.engine.databases.get(asked.toLowerCase());
  const granted = host.options.grants?.[login.userName];
  const isGranted =
    granted === undefined || granted.some((one) => one.toLowerCase() === asked.toLowerCase());
  if (database === undefined || !isGranted || !security.mayEnter(login.userName, database))
    return refuse(
      new SqlError(
        4060,
        `Cannot open database "${asked}" requested by the login. The login failed.`,
        11,
      ),
      failed,
    );
  const language =
    languages[
      (login.language || (security.login(login.userName)?.language ?? 'us_english')).toLowerCase()
    ] ?? languages['us_english'];
  if (language === undefined) throw new Error('there is always English');
  const session = new Session(host.engine, host.nextSpid(), login, database, language);
  const isRouted = host.route !== undefined && (login.isReadOnly || !host.route.isOfReaders);
  const route = isRouted ? host.route : undefined;
  if (route === undefined) host.engine.sessions.set(session.spid, session);
  host.counted('login');
  const packetBytes = packetBytesOf(login.packetBytes, host.options.maxPacketBytes ?? 32_767);
  return {
    ...{ version, packetBytes, session: route === undefined ? session : undefined },
    tell(reply) {
      reply.changed(envChange.database, database.name, 'master');
      reply.info(5701, `Changed database context to '${database.name}'.`, 0, 2);
      reply.collation();
      reply.changed(envChange.language, language.name, '');
      reply.info(5703, `Changed language setting to ${language.name}.`, 0, 1);
      reply.loginAck(
        login.tdsVersion === 0x08000000 ? 0x08000000 : version,
        'Microsoft SQL Server\0\0',
        VERSION,
      );
      const acknowledged = featuresOf(host, login);
      if (acknowledged.length > 0) reply.featureAck(acknowledged);
      reply.changed(envChange.packetSize, String(packetBytes), String(DEFAULT_BYTES));
      if (route !== undefined) reply.route(route.host, route.port);
      reply.done(doneKind.batch, 0, 0);
    },
  };
}

/** Names are the same whatever their case is, as with SQL Server's usual collation. */
function findUser({ users }: Host, name: string): string | undefined {
  const lower = name.toLowerCase();
  for (const [known, password] of users) if (known.toLowerCase() === lower) return password;
  return undefined;
}

function packetBytesOf(asked: number, most: number): number {
  if (asked === 0) return Math.min(DEFAULT_BYTES, most);
  return Math.min(Math.max(asked, 512), most);
}

function featuresOf({ options }: Host, { features }: Login): { id: number; data: Uint8Array }[] {
  return features.flatMap(({ id }) => {
    const own = options.features?.[id];
    if (own !== undefined) return [{ id, data: own }];
    return id === feature.utf8Support ? [{ id, data: Uint8Array.of(1) }] : [];
  });
}
