import { z } from 'zod';
import type { Identity, Role, User } from '../../state/iam-identities.ts';
import { isAwsPolicy } from '../../state/aws-policies.ts';
import type { ManagedPolicy } from '../../state/iam-policies.ts';
import type { IamState } from '../../state/iam.ts';
import type { Call, Operation, Output } from '../service.ts';
import { noSuchEntity, outsideAccount, validationError } from './errors.ts';
import { arn, entityName, iamOperation } from './fields.ts';

type Run<Subject, Schema extends z.ZodType> = (
  subject: Subject,
  input: z.output<Schema>,
  call: Call,
) => Output;

const ofUser = z.object({ UserName: entityName });
const ofUserOrCaller = z.object({ UserName: entityName.optional() });
const ofRole = z.object({ RoleName: entityName });
const ofPolicy = z.object({ PolicyArn: arn });

/**
 * Where operations on one user, role or policy begin: finds it, and makes sure that the caller may do this to it before telling
 * whether it is there.
 */
export class Desk {
  readonly state: IamState;

  constructor(state: IamState) {
    this.state = state;
  }

  onUser<Schema extends z.ZodType>(
    action: string,
    schema: Schema,
    run: Run<User, Schema>,
  ): Operation {
    return inTwo(ofUser, schema, ({ UserName }, input, call) =>
      run(this.#user(action, UserName, call), input, call),
    );
  }

  /** Without a name it is the caller. */
  onUserOrCaller<Schema extends z.ZodType>(
    action: string,
    schema: Schema,
    run: Run<User, Schema>,
  ): Operation {
    return inTwo(ofUserOrCaller, schema, ({ UserName }, input, call) => {
      if (UserName !== undefined) return run(this.#user(action, UserName, call), input, call);
      const caller = this.state.identities.byArn(call.caller.arn);
      call.authorize(`iam:${action}`, call.caller.arn);
      if (caller?.kind !== 'user')
        throw validationError('Must specify userName when calling with non-User credentials');
      return run(caller, input, call);
    });
  }

  onRole<Schema extends z.ZodType>(
    action: string,
    schema: Schema,
    run: Run<Role, Schema>,
  ): Operation {
    return inTwo(ofRole, schema, ({ RoleName }, input, call) => {
      const role = this.state.identities.role(RoleName);
      const arn = role?.arn ?? this.state.identities.arn('role', '/', RoleName);
      call.authorize(`iam:${action}`, arn);
      if (role === undefined) throw noSuchEntity(`The role with name ${RoleName} cannot be found.`);
      return run(role, input, call);
    });
  }

  /** For what is the same for users and for roles. */
  on<Schema extends z.ZodType>(
    kind: Identity['kind'],
    action: string,
    schema: Schema,
    run: Run<Identity, Schema>,
  ): Operation {
    return kind === 'user' ? this.onUser(action, schema, run) : this.onRole(action, schema, run);
  }

  onPolicy<Schema extends z.ZodType>(
    action: string,
    schema: Schema,
    run: Run<ManagedPolicy, Schema>,
  ): Operation {
    return inTwo(ofPolicy, schema, ({ PolicyArn }, input, call) => {
      call.authorize(`iam:${action}`, PolicyArn);
      const policy = this.state.managed.find(PolicyArn);
      if (policy === undefined) throw noSuchEntity(`Policy ${PolicyArn} was not found.`);
      if (isAwsPolicy(policy) && !/^(?:Get|List)/.test(action)) throw outsideAccount();
      return run(policy, input, call);
    });
  }

  #user(action: string, name: string, call: Call): User {
    const user = this.state.identities.user(name);
    call.authorize(`iam:${action}`, user?.arn ?? this.state.identities.arn('user', '/', name));
    if (user === undefined) throw noSuchEntity(`The user with name ${name} cannot be found.`);
    return user;
  }
}

/** Whom it is about has one schema, what to do has another. */
function inTwo<Of extends z.ZodType, Schema extends z.ZodType>(
  of: Of,
  schema: Schema,
  run: (of: z.output<Of>, input: z.output<Schema>, call: Call) => Output,
): Operation {
  return (input, call) => {
    const rest = (about: z.output<Of>) => iamOperation(schema, (wish) => run(about, wish, call));
    return iamOperation(of, (about) => rest(about)(input, call))(input, call);
  };
}
