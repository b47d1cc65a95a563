import { z } from 'zod';
import type { Random } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { Operation } from '../service.ts';
import { operation } from '../service.ts';
import { flagField, textField, wholeField } from './fields.ts';
import { invalidParameter, violation } from './problems.ts';

const DEFAULT_LENGTH = 32;
const MOST_LENGTH = 4_096;

const LOWERCASE = 'abcdefghijklmnopqrstuvwxyz';
const UPPERCASE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const NUMBERS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

export interface PasswordRules {
  readonly length: number;
  /** From each of them there is at least one character, where that is required. */
  readonly types: readonly string[];
  /** May be there, and need not. */
  readonly further: string;
  readonly needsEachType: boolean;
}

export function passwordOperations(random: Random): Readonly<Record<string, Operation>> {
  const schema = z.object({
    PasswordLength: wholeField(1, MOST_LENGTH).optional(),
    ExcludeCharacters: textField(0, 4_096).optional(),
    ExcludeNumbers: flagField(),
    ExcludePunctuation: flagField(),
    ExcludeUppercase: flagField(),
    ExcludeLowercase: flagField(),
    IncludeSpace: flagField(),
    RequireEachIncludedType: flagField(),
  });
  return {
    GetRandomPassword: operation(
      schema,
      (input, call) => {
        call.authorize('secretsmanager:GetRandomPassword', '*');
        const types = [
          input.ExcludeUppercase === true ? '' : UPPERCASE,
          input.ExcludeLowercase === true ? '' : LOWERCASE,
          input.ExcludeNumbers === true ? '' : NUMBERS,
          input.ExcludePunctuation === true ? '' : PUNCTUATION,
        ].filter((type) => type !== '');
        const excluded = input.ExcludeCharacters ?? '';
        const rules = {
          length: input.PasswordLength ?? DEFAULT_LENGTH,
          types: types.map((type) => without(type, excluded)),
          further: input.IncludeSpace === true ? without(' ', excluded) : '',
          needsEachType: input.RequireEachIncludedType !== false,
        };
        return { RandomPassword: randomPassword(rules, random).reveal() };
      },
      violation,
    ),
  };
}

/** For a database user: of all types, without what SQL, shells and URLs trip over. */
export function databasePassword(random: Random): SecretText {
  const types = [UPPERCASE, LOWERCASE, NUMBERS, without(PUNCTUATION, '/@"\'\\:')];
  return randomPassword(
    { length: DEFAULT_LENGTH, types, further: '', needsEachType: true },
    random,
  );
}

/** All passwords by these rules are equally likely. Throws InvalidParameterException where there is none. */
export function randomPassword(rules: PasswordRules, random: Random): SecretText {
  const { length, types, further, needsEachType } = rules;
  const alphabet = types.join('') + further;
  if (needsEachType && types.includes(''))
    throw invalidParameter('All characters of the desired type have been excluded.');
  if (alphabet === '') throw invalidParameter('All characters have been excluded from selection.');
  if (needsEachType && length < types.length)
    throw invalidParameter('Password length is too short based on the required types.');
  // Drawing again until it fits keeps all that fit equally likely; the rarest kinds take some thousand draws.
  for (;;) {
    const password = draw(alphabet, length, random);
    if (
      !needsEachType ||
      types.every((type) => type.split('').some((one) => password.includes(one)))
    )
      return new SecretText(password);
  }
}

function draw(alphabet: string, length: number, random: Random): string {
  // Larger bytes would make the first characters likelier.
  const limit = 256 - (256 % alphabet.length);
  let password = '';
  while (password.length < length)
    for (const byte of random.bytes(length - password.length))
      if (byte < limit) password += alphabet.charAt(byte % alphabet.length);
  return password;
}

function without(characters: string, excluded: string): string {
  return characters
    .split('')
    .filter((one) => !excluded.includes(one))
    .join('');
}
