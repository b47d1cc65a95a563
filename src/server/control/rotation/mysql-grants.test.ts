import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { grantFor } from './mysql-grants.ts';

const copied = (line: string): string | undefined => grantFor(line, 'app_clone', '%');

describe('a line of SHOW GRANTS, for another account', () => {
  test.each([
    ['GRANT USAGE ON *.* TO `app`@`%`', "GRANT USAGE ON *.* TO 'app_clone'@'%'"],
    [
      "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*B822'",
      "GRANT USAGE ON *.* TO 'app_clone'@'%'",
    ],
    [
      "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED VIA ed25519 USING 'Gv2' REQUIRE SSL WITH MAX_USER_CONNECTIONS 3",
      "GRANT USAGE ON *.* TO 'app_clone'@'%'",
    ],
    [
      'GRANT SELECT (`a`, `TO`), INSERT ON `app`.`t` TO `app`@`%` WITH GRANT OPTION',
      "GRANT SELECT (`a`, `TO`), INSERT ON `app`.`t` TO 'app_clone'@'%' WITH GRANT OPTION",
    ],
    [
      'GRANT SELECT ON `x`` TO ``root``@``%``; -- `.* TO `app`@`%`',
      "GRANT SELECT ON `x`` TO ``root``@``%``; -- `.* TO 'app_clone'@'%'",
    ],
    ['GRANT `reading`@`%` TO `app`@`%`', "GRANT `reading`@`%` TO 'app_clone'@'%'"],
    [
      'GRANT `reading` TO `app`@`%` WITH ADMIN OPTION',
      "GRANT `reading` TO 'app_clone'@'%' WITH ADMIN OPTION",
    ],
    ['REVOKE INSERT ON `b`.* FROM `app`@`%`', "REVOKE INSERT ON `b`.* FROM 'app_clone'@'%'"],
    ['SET DEFAULT ROLE `reading` FOR `app`@`%`', "SET DEFAULT ROLE `reading` FOR 'app_clone'@'%'"],
    ["GRANT PROXY ON ''@'' TO 'app'@'%'", "GRANT PROXY ON ''@'' TO 'app_clone'@'%'"],
  ])('%s', (line, wanted) => {
    expect(copied(line)).toBe(wanted);
  });

  test.each(['', 'GRANT', 'DROP TABLE t', 'GRANT SELECT ON `x.* TO app'])(
    'there is none of what is no grant: %s',
    (line) => {
      expect(copied(line)).toBeUndefined();
    },
  );

  test('of a table that is called anything names nobody but the account', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const what = `GRANT SELECT ON \`${name.replaceAll('`', '``')}\`.* TO `;
        expect(copied(`${what}\`app\`@\`%\``)).toBe(`${what}'app_clone'@'%'`);
      }),
    );
  });

  test('any text gives a statement or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['string', 'undefined']).toContain(typeof copied(text));
        expect(['string', 'undefined']).toContain(typeof copied(`GRANT ${text}`));
      }),
    );
  });
});
