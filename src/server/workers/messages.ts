import { z } from 'zod';

// What the supervisor and its workers say to each other, as JSON over the channel that Bun opens between them.

const cancel = z.object({
  kind: z.literal('cancel'),
  proxy: z.string(),
  worker: z.number().int(),
  number: z.number().int(),
  /** Hexadecimal. */
  secret: z.string(),
});

const toWorker = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('begin'),
    index: z.number().int(),
    count: z.number().int(),
    /** The key behind every user's salt, hexadecimal: a client must meet the same salt at every worker. */
    saltKey: z.string(),
  }),
  /** For these names: a client must meet the same one at every worker. */
  z.object({
    kind: z.literal('certificate'),
    names: z.array(z.string()),
    keyPem: z.string(),
    certPem: z.string(),
  }),
  z.object({ kind: z.literal('reload') }),
  /** The API has changed something. */
  z.object({ kind: z.literal('made') }),
  z.object({ kind: z.literal('drain') }),
  z.object({
    kind: z.literal('ask'),
    id: z.number().int(),
    /** `renewal`: answered once what the API has changed until now is known. */
    what: z.enum(['metrics', 'readiness', 'facts', 'renewal']),
  }),
  cancel,
]);

const fromWorker = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello') }),
  z.object({ kind: z.literal('ready') }),
  /** Asks for the certificate for these names. */
  z.object({ kind: z.literal('certificate'), names: z.array(z.string()) }),
  z.object({ kind: z.literal('answer'), id: z.number().int(), text: z.string() }),
  cancel,
]);

export type ToWorker = z.infer<typeof toWorker>;
export type FromWorker = z.infer<typeof fromWorker>;
export type CancelMessage = z.infer<typeof cancel>;

export function readToWorker(message: unknown): ToWorker {
  return toWorker.parse(message);
}

export function readFromWorker(message: unknown): FromWorker {
  return fromWorker.parse(message);
}
