import { clearPasswordMatches } from '../../auth/clear-password.ts';
import { looksLikeIamToken, userInToken } from '../../auth/iam-token.ts';
import { ucs2 } from '../../base/bytes.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { Conversation } from '../../core/conversation.ts';
import { wait } from '../../core/conversation.ts';
import type { Door, LoginRule } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import { fedAuthLibrary, readFedAuth } from '../../wire/tds/fed-auth.ts';
import { feature } from '../../wire/tds/features.ts';
import type { Login7 } from '../../wire/tds/login7.ts';

/** What is asked of the proxy. */
export type Porter = Pick<Door<unknown, never>, 'keeper' | 'refused'>;

export interface SignedIn {
  readonly user: string;
  /** For the log. */
  readonly method: string;
  /** By a token in the extension that is for that. */
  readonly usedFeature: boolean;
}

type PasswordRule = Extract<LoginRule, { kind: 'password' }>;

const BY_PASSWORD = 'SQL Server authentication';
const BY_TOKEN = 'IAM authentication';

/** Lets a client prove itself by what is in its LOGIN7; a `FaultError` where it cannot. Unknown users are treated like others. */
export function* signIn(
  porter: Porter,
  login: Login7,
  isEncrypted: boolean,
): Conversation<SignedIn> {
  const extension = login.features.find(({ id }) => id === feature.fedAuth);
  if (extension !== undefined) return yield* byFeature(porter, login, extension.data, isEncrypted);
  const user = login.userName;
  if (user === '') throw new FaultError({ name: 'userMissing' });
  const password = new SecretText(ucs2(login.password));
  const rule = porter.keeper.rule(user);
  if (rule.kind === 'token') return yield* byToken(porter, user, password, isEncrypted);
  if (rule.orToken === true && looksLikeIamToken(password.reveal()))
    return yield* byToken(porter, user, password, isEncrypted);
  byPassword(porter, user, password, rule);
  return { user, method: BY_PASSWORD, usedFeature: false };
}

/** All passwords are looked at, whoever it is, so that the clock does not tell. */
function byPassword(porter: Porter, user: string, password: SecretText, rule: PasswordRule): void {
  const isRight = clearPasswordMatches(rule.passwords, password);
  if (isRight && rule.known) return;
  porter.refused(
    user,
    rule.known ? 'the password is wrong' : 'the proxy has no credentials for this user',
  );
  throw new FaultError({ name: 'loginRefused', user });
}

/** A driver that is given a token is given no user: the token names one. */
function* byFeature(
  porter: Porter,
  login: Login7,
  data: Uint8Array,
  isEncrypted: boolean,
): Conversation<SignedIn> {
  const { library, token: said } = readFedAuth(data);
  if (library !== fedAuthLibrary.securityToken || said === undefined)
    throw new FaultError({
      name: 'unsupported',
      detail:
        'The client asks where to get a token from, as for Microsoft Entra ID. Give it the token itself, as its access token.',
    });
  const token = new SecretText(ucs2(said));
  const user = login.userName === '' ? (userInToken(token.reveal()) ?? '') : login.userName;
  const rule = porter.keeper.rule(user);
  if (rule.kind === 'password' && rule.orToken !== true) {
    porter.refused(
      user,
      rule.known
        ? 'it gave a token, and has to sign in by password'
        : 'the proxy has no credentials for this user',
    );
    throw new FaultError({ name: 'iamRefused', user });
  }
  return { ...(yield* byToken(porter, user, token, isEncrypted)), usedFeature: true };
}

/** A token is sent as it is, over TLS only. */
function* byToken(
  porter: Porter,
  user: string,
  token: SecretText,
  isEncrypted: boolean,
): Conversation<SignedIn> {
  if (!isEncrypted) throw new FaultError({ name: 'iamNeedsTls' });
  const verdict = yield* wait(() => porter.keeper.checkToken(user, token));
  if (!verdict.ok) {
    porter.refused(user, verdict.why);
    throw new FaultError({ name: 'iamRefused', user });
  }
  return { user, method: BY_TOKEN, usedFeature: false };
}
