import type { Caller } from './caller.ts';
import { problem, readList, readObject, readText } from './elements.ts';

/** Whom a statement of a trust policy or a resource policy is about. */
export interface PrincipalElement {
  readonly everybody: boolean;
  /** Of users, roles and sessions of roles. */
  readonly arns: readonly string[];
  /** Twelve digits each. Naming an account leaves it to the account's own policies who of it. */
  readonly accounts: readonly string[];
  /** Such as `rds.amazonaws.com`. */
  readonly services: readonly string[];
}

/** Whether it names the caller themselves: by their own ARN or their role's, or as one of everybody. */
export function names({ everybody, arns }: PrincipalElement, caller: Caller): boolean {
  return everybody || arns.includes(caller.arn) || arns.includes(caller.roleArn ?? caller.arn);
}

export function namesAccountOf({ accounts }: PrincipalElement, caller: Caller): boolean {
  return accounts.includes(caller.account);
}

const ACCOUNT = /^(?:arn:aws[\w-]*:iam::)?(\d{12})(?::root)?$/;
const ONE_OF_US = /^arn:aws[\w-]*:(?:iam::\d{12}:(?:user|role)|sts::\d{12}:assumed-role)\/[^*?]+$/;

/**
 * `"*"`, or an object of one text or a list for each kind. Throws an Error that names the element, where it is, and what to do
 * about it.
 */
export function readPrincipal(
  value: unknown,
  where: string,
  kinds: readonly ('AWS' | 'Service')[],
): PrincipalElement {
  if (value === undefined) throw problem(where, "is missing: say who, as in {'AWS': '*'}");
  const given = value === '*' ? { AWS: '*' } : readObject(value, where, kinds);
  if (Object.keys(given).length === 0) throw problem(where, `is empty: give ${kinds.join(' or ')}`);
  const texts = (kind: 'AWS' | 'Service', read: (text: string, at: string) => string) =>
    given[kind] === undefined
      ? []
      : readList(given[kind], `${where}.${kind}`, 'a principal').map(({ item, at }) =>
          read(readText(item, at), at),
        );
  const ours = texts('AWS', readOneOfUs);
  return {
    everybody: ours.includes('*'),
    arns: ours.filter((one) => one.includes('/')),
    accounts: ours.filter((one) => /^\d+$/.test(one)),
    services: texts('Service', readService),
  };
}

/** `*`, an account's number, or an ARN. */
function readOneOfUs(text: string, where: string): string {
  if (text === '*' || ONE_OF_US.test(text)) return text;
  const account = ACCOUNT.exec(text)?.[1];
  if (account !== undefined) return account;
  throw problem(
    where,
    "must be '*', an account of twelve digits, or the whole ARN of a user or a role: wildcards do not stand for parts of it",
  );
}

function readService(text: string, where: string): string {
  if (/^[a-z\d-]+(?:\.[a-z\d-]+)+$/.test(text)) return text;
  throw problem(where, "must be a service, as in 'rds.amazonaws.com'");
}
