import type { Caller } from './caller.ts';
import type { Decision, Effect } from './elements.ts';
import { decisionOf, readActions, readEffect, readResources, readStatements } from './elements.ts';
import type { Statement } from './policy.ts';
import { isAbout } from './policy.ts';
import type { PrincipalElement } from './principal-element.ts';
import { names, namesAccountOf, readPrincipal } from './principal-element.ts';

/** A policy that hangs on a resource and says who may do what with it. */
export interface ResourcePolicy {
  readonly statements: readonly ResourceStatement[];
}

export interface ResourceStatement extends Statement {
  /** Whether it is about this caller. */
  readonly isAbout: (caller: Caller) => boolean;
}

/**
 * Reads a resource's policy that has been parsed from JSON. Throws an Error that names the element, where it is, and what to do
 * about it; `Condition` and `NotPrincipal` are refused.
 * @param where what to call the document in messages
 */
export function parseResourcePolicy(value: unknown, where = 'policy'): ResourcePolicy {
  const known = ['Principal', 'Action', 'NotAction', 'Resource', 'NotResource'];
  const statements = readStatements(value, where, known, (statement, at) => {
    const effect = readEffect(statement, at);
    const principal = readPrincipal(statement['Principal'], `${at}.Principal`, ['AWS']);
    return {
      effect,
      isAbout: (caller: Caller) => concerns(effect, principal, caller),
      actions: readActions(statement, at),
      resources: readResources(statement, at),
    };
  });
  return { statements };
}

/**
 * What is allowed to an account is for the account's own policies to pass on, which then allow it themselves; what is denied to an
 * account is denied to everybody of it.
 */
export function concerns(effect: Effect, principal: PrincipalElement, caller: Caller): boolean {
  return names(principal, caller) || (effect === 'Deny' && namesAccountOf(principal, caller));
}

/** Whether the caller may do this: some policy of theirs or of the resource allows it, and none denies it. */
export function mayDo(
  caller: Caller,
  action: string,
  resource: string,
  policy?: ResourcePolicy,
): boolean {
  return decideFor(caller, action, resource, policy) === 'allowed';
}

/** The same, and whether it is a Deny that stands against it. */
export function decideFor(
  caller: Caller,
  action: string,
  resource: string,
  policy?: ResourcePolicy,
): Decision {
  const statements = [
    ...caller.policies.flatMap(({ statements: own }) => own),
    ...(policy?.statements ?? []).filter((statement) => statement.isAbout(caller)),
  ];
  return decisionOf(statements.filter((statement) => isAbout(statement, action, resource)));
}
