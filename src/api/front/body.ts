import type { Clock } from '../../base/clock.ts';

/** From the request's head to the end of its body. */
const LONGEST_MS = 30_000;

type Kind = 'tooLarge' | 'tooSlow' | 'cutOff';

/** The body cannot be had: it is longer than allowed, takes too long, or the client has stopped sending. */
export class NoBody extends Error {
  readonly kind: Kind;

  constructor(kind: Kind) {
    super(kind);
    this.kind = kind;
  }
}

/** Reads no more than it has to. Throws `NoBody`. */
export async function readBody(
  request: Request,
  limitBytes: number,
  clock: Clock,
): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) throw new NoBody('tooLarge');
  if (request.body === null) return new Uint8Array();
  const stream: ReadableStream<Uint8Array> = request.body;
  const reader = stream.getReader();
  let ending: Kind | undefined;
  const end = (kind: Kind): void => {
    ending ??= kind;
    reader.cancel().catch(() => {});
  };
  const callOff = clock.after(LONGEST_MS, () => end('tooSlow'));
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { value: chunk } = await reader.read();
      if (chunk === undefined) break;
      length += chunk.length;
      if (length > limitBytes) end('tooLarge');
      else chunks.push(chunk);
    }
  } catch {
    end('cutOff');
  } finally {
    callOff();
  }
  if (ending !== undefined) throw new NoBody(ending);
  return Buffer.concat(chunks);
}
