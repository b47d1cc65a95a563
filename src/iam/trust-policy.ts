import type { Caller } from './caller.ts';
import type { Effect, Patterns } from './elements.ts';
import {
  covers,
  decisionOf,
  problem,
  readActions,
  readEffect,
  readStatements,
} from './elements.ts';
import type { PrincipalElement } from './principal-element.ts';
import { names, namesAccountOf, readPrincipal } from './principal-element.ts';
import { concerns } from './resource-policy.ts';
import type { ResourcePolicy } from './resource-policy.ts';

/** Who may take on a role. */
export interface TrustPolicy {
  readonly statements: readonly TrustStatement[];
}

interface TrustStatement {
  readonly effect: Effect;
  readonly principal: PrincipalElement;
  readonly actions: Patterns;
}

const ASSUME = 'sts:assumerole';

/**
 * Reads a role's trust policy that has been parsed from JSON. Throws an Error that names the element, where it is, and what to do
 * about it; `Condition` is refused.
 * @param where what to call the document in messages
 */
export function parseTrustPolicy(value: unknown, where = 'policy'): TrustPolicy {
  const statements = readStatements(value, where, ['Principal', 'Action'], (statement, at) => {
    const actions = readActions(statement, at);
    if (!actions.patterns.every((action) => action.startsWith('sts:')))
      throw problem(`${at}.Action`, 'may only specify STS AssumeRole actions');
    return {
      effect: readEffect(statement, at),
      principal: readPrincipal(statement['Principal'], `${at}.Principal`, ['AWS', 'Service']),
      actions,
    };
  });
  return { statements };
}

/** Whether an AWS service, such as `rds.amazonaws.com`, may take on the role. */
export function trustsService(trust: TrustPolicy, service: string): boolean {
  const about = trust.statements.filter(
    ({ principal, actions }) =>
      covers(actions, ASSUME) && (principal.everybody || principal.services.includes(service)),
  );
  // Everybody is every account: services must be named.
  const isNamed = about.some(
    ({ effect, principal }) => effect === 'Allow' && principal.services.includes(service),
  );
  return isNamed && decisionOf(about) === 'allowed';
}

/** Whether the role is open to the caller: named themselves, or their account, whose policies must allow it then, too. */
export function trustsCaller(trust: TrustPolicy, caller: Caller): boolean {
  const about = trust.statements.filter(
    ({ principal, actions }) =>
      covers(actions, ASSUME) && (names(principal, caller) || namesAccountOf(principal, caller)),
  );
  return decisionOf(about) === 'allowed';
}

/** The same as a policy of the resource that the role is: whom it names needs no other policy. */
export function asResourcePolicy(trust: TrustPolicy): ResourcePolicy {
  return {
    statements: trust.statements.map(({ effect, principal, actions }) => ({
      effect,
      actions,
      resources: { negated: false, patterns: ['*'] },
      isAbout: (caller) => concerns(effect, principal, caller),
    })),
  };
}
