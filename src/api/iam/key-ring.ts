import type { Caller, KeyRing, SigningKey } from '../../iam/caller.ts';
import type { Policy } from '../../iam/policy.ts';
import type { Role, User } from '../../state/iam-identities.ts';
import type { KeyUse } from '../../state/iam-keys.ts';
import type { IamParts } from './service.ts';

const IAM_VERBS =
  'Add Attach Change Create Deactivate Delete Detach Enable Generate Get List Put Remove Reset Resync Set Simulate Tag Untag Update Upload'.split(
    ' ',
  );

/**
 * "You cannot call any IAM API operations unless MFA authentication information is included in the request. You cannot call any STS API
 * except AssumeRole or GetCallerIdentity." Passing a role on is no operation.
 */
const NOT_BY_SESSION = JSON.stringify({
  Statement: {
    Effect: 'Deny',
    Action: IAM_VERBS.map((verb) => `iam:${verb}*`),
    Resource: '*',
  },
});

/** The access keys of users, and of those who have assumed a role, with what their policies allow now. */
export class IamKeyRing implements KeyRing {
  readonly #parts: IamParts;

  constructor(parts: IamParts) {
    this.#parts = parts;
  }

  find(accessKeyId: string): SigningKey | undefined {
    return accessKeyId.startsWith('ASIA')
      ? this.#ofSession(accessKeyId)
      : this.#ofUser(accessKeyId);
  }

  /** To be told of once a request is known to be signed by the key: `GetAccessKeyLastUsed` answers it. */
  noteUse(accessKeyId: string, use: KeyUse): void {
    this.#parts.state.keys.noteUse(accessKeyId, use);
  }

  #ofUser(accessKeyId: string): SigningKey | undefined {
    const { keys, identities } = this.#parts.state;
    const key = keys.find(accessKeyId);
    const user = key?.isActive === true ? identities.byId(key.userId) : undefined;
    if (key === undefined || user?.kind !== 'user') return undefined;
    const policies = policiesOf(this.#parts, user);
    return {
      secretAccessKey: key.secretAccessKey,
      caller: { ...this.#named(accessKeyId), arn: user.arn, userId: user.id, policies },
    };
  }

  #ofSession(accessKeyId: string): SigningKey | undefined {
    const { sessions, identities } = this.#parts.state;
    const session = sessions.find(accessKeyId);
    const whose = session && identities.byId(session.identityId);
    if (session === undefined || whose === undefined) return undefined;
    const { secretAccessKey, sessionToken, expiresMs, name } = session;
    const caller =
      whose.kind === 'role'
        ? sessionOf(this.#parts, whose, name, accessKeyId)
        : this.#sessionOfUser(whose, accessKeyId);
    return { secretAccessKey, sessionToken, expiresMs, caller };
  }

  #sessionOfUser(user: User, accessKeyId: string): Caller {
    const policies = [
      ...policiesOf(this.#parts, user),
      this.#parts.reader.identity(NOT_BY_SESSION),
    ];
    return { ...this.#named(accessKeyId), arn: user.arn, userId: user.id, policies };
  }

  #named(accessKeyId: string): Pick<Caller, 'accessKeyId' | 'account'> {
    return { accessKeyId, account: this.#parts.state.account };
  }
}

/** Somebody who has taken on the role. */
export function sessionOf(
  parts: IamParts,
  role: Role,
  sessionName: string,
  accessKeyId: string,
): Caller {
  const { account } = parts.state;
  return {
    accessKeyId,
    account,
    arn: sessionArn(account, role, sessionName),
    roleArn: role.arn,
    userId: `${role.id}:${sessionName}`,
    policies: policiesOf(parts, role),
  };
}

/** It does not tell the role's path. */
export function sessionArn(account: string, role: Role, sessionName: string): string {
  return `arn:aws:sts::${account}:assumed-role/${role.name}/${sessionName}`;
}

function policiesOf({ state, reader }: IamParts, identity: User | Role): readonly Policy[] {
  return state.policies.documents(identity.id).map((text) => reader.identity(text));
}
