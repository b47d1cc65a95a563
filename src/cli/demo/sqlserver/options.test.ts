import { describe, expect, test } from 'bun:test';
import { readFlags, UsageError } from '../../command.ts';
import { readServer, serverFlags } from './options.ts';

const SERVER = ['--server', 'db.example.com:1433', '--user', 'sa'];
const PASSWORD = { SQLCMDPASSWORD: 'in the environment' };

function read(args: readonly string[], env: Readonly<Record<string, string>> = PASSWORD) {
  return readServer(readFlags(args, serverFlags), env);
}

describe('a server of the user’s', () => {
  test('is where they say, with the password of the environment and any TLS', () => {
    const { password, ...rest } = read(SERVER);
    expect(password.reveal()).toBe('in the environment');
    expect(rest).toEqual({
      host: 'db.example.com',
      port: 1433,
      user: 'sa',
      database: undefined,
      tls: 'prefer',
      tlsCaFile: undefined,
    });
  });

  test('has a password of the command line’s, a database, TLS and an authority, where they are given', () => {
    const more = ['--password', 'here', '--database', 'shop', '--tls', 'verify-full'];
    const { password, ...rest } = read([...SERVER, ...more, '--tls-ca', 'ca.pem']);
    expect(password.reveal()).toBe('here');
    expect(rest).toMatchObject({ database: 'shop', tls: 'verify-full', tlsCaFile: 'ca.pem' });
  });

  test('may be an IPv6 address', () => {
    expect(read(['--server', '[::1]:14330', '--user', 'sa'])).toMatchObject({
      host: '::1',
      port: 14330,
    });
  });

  test.each([
    [[], 'no SQL Server can be brought along: give one of yours'],
    [['--user', 'sa'], 'no SQL Server can be brought along'],
    [['--server', 'localhost', '--user', 'sa'], '--server must be HOST:PORT, such as'],
    [['--server', 'localhost:99999', '--user', 'sa'], '--server must be HOST:PORT, such as'],
    [['--server', 'localhost:1433'], '--user USER is missing'],
    [[...SERVER, '--tls', 'yes'], '--tls must be one of prefer, disable, require, verify-full'],
    [[...SERVER, '--tls-ca', 'ca.pem'], '--tls-ca goes with --tls verify-full'],
  ])('is not to be found by %j', (args, complaint) => {
    expect(() => read(args)).toThrow(UsageError);
    expect(() => read(args)).toThrow(complaint);
  });

  test('needs a password, and says where it is best put', () => {
    for (const env of [{}, { SQLCMDPASSWORD: '' }])
      expect(() => read(SERVER, env)).toThrow('set SQLCMDPASSWORD, or give --password');
  });
});
