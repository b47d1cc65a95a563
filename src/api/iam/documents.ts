import type { Policy } from '../../iam/policy.ts';
import { parsePolicy } from '../../iam/policy.ts';
import type { TrustPolicy } from '../../iam/trust-policy.ts';
import { parseTrustPolicy } from '../../iam/trust-policy.ts';
import { malformedDocument } from './errors.ts';

/** How many documents are kept as they were read. */
const REMEMBERED = 1_000;

/** Reads documents that have been let in, each text once. */
export class PolicyReader {
  readonly #identity = new Map<string, Policy>();
  readonly #trust = new Map<string, TrustPolicy>();

  identity(text: string): Policy {
    return remembered(this.#identity, text, parsePolicy);
  }

  trust(text: string): TrustPolicy {
    return remembered(this.#trust, text, parseTrustPolicy);
  }
}

function remembered<Read>(
  memory: Map<string, Read>,
  text: string,
  parse: (value: unknown) => Read,
): Read {
  const known = memory.get(text);
  if (known !== undefined) return known;
  const read = parse(JSON.parse(text));
  const [oldest] = memory.keys();
  if (memory.size >= REMEMBERED && oldest !== undefined) memory.delete(oldest);
  memory.set(text, read);
  return read;
}

/** Throws MalformedPolicyDocument, with what is wrong and where, unless this is a policy that can be honoured whole. */
export function checkPolicy(text: string): Policy {
  return checked(text, (value) => parsePolicy(value));
}

/** The same for a trust policy. */
export function checkTrust(text: string): TrustPolicy {
  return checked(text, (value) => parseTrustPolicy(value));
}

function checked<Read>(text: string, parse: (value: unknown) => Read): Read {
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw malformedDocument(
      error instanceof SyntaxError
        ? `This policy contains invalid Json: ${why}`
        : `This policy cannot be honoured: ${why}`,
    );
  }
}

/** As quotas count: without white space. */
export function documentSize(text: string): number {
  return text.replaceAll(/\s/g, '').length;
}

/** As IAM answers documents: encoded as RFC 3986 has it. */
export function encodedDocument(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
