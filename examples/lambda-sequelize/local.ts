// API Gateway and Lambda for one's own machine.
// `node dist/local.mjs GET /products/7`: the answer of one invocation.
// `node dist/local.mjs`: many at once. A line of JSON for each request comes in, `{"id", "method", "path", "body"}`, and a line
// for each answer goes out as it is there, `{"id", "statusCode", "body", "log"}`.
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { handler } from './handler.ts';

interface Request {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

/** What each invocation has logged. */
const logs = new AsyncLocalStorage<string[]>();

const [method, path = '/', body] = process.argv.slice(2);
await (method === undefined ? answerLines() : answerOnce(method, path, body));

async function answerOnce(method: string, path: string, body: string | undefined): Promise<void> {
  const request = { id: `local-${randomUUID()}`, method, path };
  const result = await invoke(body === undefined ? request : { ...request, body });
  console.log(`${result.statusCode} ${result.body}`);
}

async function answerLines(): Promise<void> {
  console.error = (line: unknown) => logs.getStore()?.push(String(line));
  const answers: Promise<void>[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    answers.push(answer(JSON.parse(line) as Request));
  }
  await Promise.all(answers);
}

async function answer(request: Request): Promise<void> {
  const log: string[] = [];
  const { statusCode, body } = await logs.run(log, () => invoke(request));
  console.log(JSON.stringify({ id: request.id, statusCode, body, log }));
}

/** By an event that has what the function looks at; API Gateway says more. */
function invoke({ id, method, path, body }: Request): Promise<APIGatewayProxyResult> {
  const [, product] = /^\/products\/([^/]+)$/.exec(path) ?? [];
  return handler({
    httpMethod: method,
    path,
    resource: product === undefined ? path : '/products/{id}',
    pathParameters: product === undefined ? null : { id: decodeURIComponent(product) },
    body: body ?? null,
    requestContext: { requestId: id },
  } as APIGatewayProxyEvent);
}
