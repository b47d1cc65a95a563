import { readSignature, verifySignature } from '../../auth/sigv4.ts';
import type { RequestHead, Signature } from '../../auth/sigv4.ts';
import { SeenSignatures } from '../../auth/seen-signatures.ts';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Random } from '../../base/random.ts';
import type { Caller, KeyRing } from '../../iam/caller.ts';
import { ApiError } from '../api-error.ts';
import type { Call, Service } from '../service.ts';
import { NoBody, readBody } from './body.ts';
import { denial } from './denial.ts';
import { jsonWire } from './json-wire.ts';
import { queryWire } from './query-wire.ts';
import { requestIdOf } from './request-id.ts';
import type { Asked, Protocol, Reply, Wire } from './wire.ts';

/** Services that AWS has once for all regions; their requests are signed for this one as often as for one's own. */
const GLOBAL_SERVICES: readonly string[] = ['iam', 'sts'];
const GLOBAL_REGION = 'us-east-1';

/** What a request was about, as far as that was known when it failed. */
export interface RequestInfo {
  readonly service: string | undefined;
  readonly operation: string | undefined;
  readonly requestId: string;
}

export interface FrontParts {
  readonly services: readonly Service[];
  readonly keys: KeyRing;
  readonly region: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told whenever a request has been found to be signed by this key. `region` is its signature's. */
  readonly signed?: (
    accessKeyId: string,
    use: { readonly atMs: number; readonly service: string; readonly region: string },
  ) => void;
  /** Told of what is nobody's fault but ours; the client hears no more than that there was something. */
  readonly failed: (error: unknown, about: RequestInfo) => void;
  /** Default: the limit `apiRequestBytes`. */
  readonly bodyLimitBytes?: number;
}

interface Line {
  readonly service: Service;
  readonly wire: Wire;
}

/**
 * The AWS APIs at one HTTP port. Requests come to the service that their signature is for; none comes to an operation unsigned, and
 * no result goes out of one that has not asked whether its caller may have it.
 */
export class ApiFront {
  readonly #parts: FrontParts;
  readonly #lines: ReadonlyMap<string, Line>;
  readonly #seen = new SeenSignatures();
  #underWay = 0;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    this.#lines = new Map(
      parts.services.map((service) => [service.name, { service, wire: wireOf(service.protocol) }]),
    );
  }

  /** Never rejects. */
  async answer(request: Request): Promise<Response> {
    const requestId = requestIdOf(this.#parts.random);
    const head = headOf(request);
    const read = readSignature(head);
    const line = read.ok ? this.#lines.get(read.signature.scope.service) : undefined;
    const wire = line?.wire ?? guessedWire(head);
    const about = { service: line?.service.name, operation: undefined, requestId };
    let reply: Reply;
    this.#underWay += 1;
    try {
      if (this.#underWay > limits.apiRequestsAtOnce.value)
        throw wire.own('throttled', 'Rate exceeded');
      if (!read.ok) throw wire.own(read.kind, read.why);
      if (line === undefined) throw this.#wrongService(wire);
      const body = await readBody(request, this.#bodyLimitBytes(), this.#parts.clock);
      const caller = await this.#verify(head, read.signature, body, line);
      reply = await this.#perform(line, caller, wire.read(head, body), requestId);
    } catch (error) {
      reply = this.#failureReply(error, wire, about);
    } finally {
      this.#underWay -= 1;
    }
    return this.#respond(reply);
  }

  #bodyLimitBytes(): number {
    return this.#parts.bodyLimitBytes ?? limits.apiRequestBytes.value;
  }

  /** With AWS each service has an address of its own, and says the same to requests for another. */
  #wrongService(wire: Wire): ApiError {
    const names = [...this.#lines.keys()].toSorted().map((name) => `'${name}'`);
    return wire.own(
      'mismatch',
      `Credential should be scoped to correct service: ${names.join(', ')}.`,
    );
  }

  async #verify(
    head: RequestHead,
    signature: Signature,
    body: Uint8Array,
    { service, wire }: Line,
  ): Promise<Caller> {
    const { region, keys, clock, signed } = this.#parts;
    const nowMs = clock.wallMs();
    const verdict = await verifySignature({
      head,
      signature,
      body,
      service: service.name,
      regions: GLOBAL_SERVICES.includes(service.name) ? [region, GLOBAL_REGION] : [region],
      nowMs,
      findKey: (accessKeyId) => keys.find(accessKeyId),
      seen: this.#seen,
    });
    if (!verdict.ok) throw wire.own(verdict.kind, verdict.why);
    const { scope } = signature;
    signed?.(scope.accessKeyId, { atMs: nowMs, service: service.name, region: scope.region });
    return verdict.key.caller;
  }

  async #perform(
    { service, wire }: Line,
    caller: Caller,
    asked: Asked,
    requestId: string,
  ): Promise<Reply> {
    const { operation: name, input } = asked;
    const operation = Object.hasOwn(service.operations, name)
      ? service.operations[name]
      : undefined;
    if (operation === undefined)
      throw wire.own(
        'unknownOperation',
        `The action ${name.slice(0, 128)} is not valid for this web service.`,
      );
    const about = { service: service.name, operation: name, requestId };
    let hasAsked = service.open?.includes(name) ?? false;
    const call: Call = {
      caller,
      requestId,
      nowMs: this.#parts.clock.wallMs(),
      authorize(action, resource, policy) {
        const why = denial(caller, action, resource, policy);
        if (why !== undefined) throw wire.own('denied', why);
        hasAsked = true;
      },
    };
    try {
      const output = await operation(input, call);
      if (!hasAsked) throw new Error(`${name} has not asked whether its caller may do it`);
      return wire.result(name, output, requestId);
    } catch (error) {
      return this.#failureReply(error, wire, about);
    }
  }

  #failureReply(error: unknown, wire: Wire, about: RequestInfo): Reply {
    if (error instanceof ApiError) return wire.error(error, about.requestId);
    if (error instanceof NoBody) return wire.error(this.#noBody(error, wire), about.requestId);
    this.#parts.failed(error, about);
    const sorry =
      'The request processing has failed because of an unknown error, exception or failure.';
    return wire.error(wire.own('failure', sorry), about.requestId);
  }

  #noBody({ kind }: NoBody, wire: Wire): ApiError {
    if (kind === 'cutOff') return new ApiError('IncompleteBody', 'The body ended before its time.');
    if (kind === 'tooSlow')
      return new ApiError('RequestTimeout', 'The body has taken too long to arrive.', 408);
    return wire.own('tooLarge', `The request is longer than ${this.#bodyLimitBytes()} bytes.`);
  }

  #respond({ status, headers, body }: Reply): Response {
    // SDKs whose signature is dated wrong put their clock right by this one.
    const date = new Date(this.#parts.clock.wallMs()).toUTCString();
    return new Response(body, { status, headers: { ...headers, date } });
  }
}

function wireOf(protocol: Protocol): Wire {
  return protocol.kind === 'query'
    ? queryWire(protocol.version, protocol.namespace)
    : jsonWire(protocol.targetPrefix);
}

/** In what form a client may understand that its request is for no service of ours. */
function guessedWire({ headers }: RequestHead): Wire {
  const isJson =
    headers.has('x-amz-target') || (headers.get('content-type') ?? '').includes('json');
  return isJson ? jsonWire('') : queryWire();
}

function headOf(request: Request): RequestHead {
  // The base stands in for the host, where that is none.
  const url = URL.parse(request.url, 'http://localhost');
  return {
    method: request.method,
    path: url?.pathname ?? '/',
    query: url?.search.slice(1) ?? '',
    headers: new Map(request.headers),
  };
}
