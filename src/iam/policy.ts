import type { Decision, Effect, Patterns } from './elements.ts';
import {
  covers,
  decisionOf,
  readActions,
  readEffect,
  readResources,
  readStatements,
} from './elements.ts';

// IAM identity policies: what their owner may do.

export interface Policy {
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly effect: Effect;
  readonly actions: Patterns;
  readonly resources: Patterns;
}

/** An explicit Deny in any policy wins over every Allow; what nobody allows is denied. */
export function allows(policies: readonly Policy[], action: string, resource: string): boolean {
  return decide(policies, action, resource) === 'allowed';
}

export function decide(policies: readonly Policy[], action: string, resource: string): Decision {
  const statements = policies.flatMap((policy) => policy.statements);
  return decisionOf(statements.filter((statement) => isAbout(statement, action, resource)));
}

export function isAbout(statement: Statement, action: string, resource: string): boolean {
  return covers(statement.actions, action.toLowerCase()) && covers(statement.resources, resource);
}

/**
 * Reads a policy document that has been parsed from JSON or YAML. Throws an Error that names the
 * element, where it is, and what to do about it.
 * @param where what to call the document in messages, such as `principals[0].policy`
 */
export function parsePolicy(value: unknown, where = 'policy'): Policy {
  const known = ['Action', 'NotAction', 'Resource', 'NotResource'];
  const statements = readStatements(value, where, known, (statement, at) => ({
    effect: readEffect(statement, at),
    actions: readActions(statement, at),
    resources: readResources(statement, at),
  }));
  return { statements };
}
