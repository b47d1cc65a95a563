import { setTimeout } from 'node:timers/promises';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { UniqueConstraintError } from 'sequelize';
import { readSettings } from './settings.ts';
import type { Product, Shop } from './shop.ts';
import { shopDoor } from './shop.ts';

// Once for each instance of the function. What is missing shows when it starts, and not with the first customer.
const settings = readSettings(process.env);
const openShop = shopDoor(settings);

/**
 * `GET /products/{id}` and `POST /orders` with `{"productId": 7}`. Whatever fails is in the function's log; the client is told no
 * more than by which request to find it there.
 */
export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  const { requestId } = event.requestContext;
  const shop = openShop();
  try {
    return await answer(event, shop);
  } catch (problem) {
    if (problem instanceof Refusal) return reply(problem.statusCode, { message: problem.message });
    log(requestId, problem);
    return reply(500, { message: 'Internal server error', requestId });
  } finally {
    // Lambda may freeze the instance for good now, or until nobody remembers the connection.
    await shop.close().catch((problem: unknown) => log(requestId, problem));
  }
}

/** Something is wrong with the request. */
class Refusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

async function answer(event: APIGatewayProxyEvent, shop: Shop): Promise<APIGatewayProxyResult> {
  switch (`${event.httpMethod} ${event.resource}`) {
    case 'GET /products/{id}':
      return reply(200, await productOf(shop, event.pathParameters?.['id']));
    case 'POST /orders':
      return await order(event, shop);
    default:
      throw new Refusal(404, 'There is nothing here');
  }
}

async function order(event: APIGatewayProxyEvent, shop: Shop): Promise<APIGatewayProxyResult> {
  const { requestId: request } = event.requestContext;
  const { id: productId, cents } = await productOf(shop, productIdIn(event.body));
  await pay();
  try {
    const { id } = await shop.orders.create({ request, productId, cents });
    return reply(201, { id, productId, cents });
  } catch (problem) {
    if (!(problem instanceof UniqueConstraintError)) throw problem;
    throw new Refusal(409, 'This request has been here before');
  }
}

async function productOf(shop: Shop, id: unknown): Promise<Product> {
  const number = Number(id);
  if (!Number.isInteger(number)) throw new Refusal(400, 'A product is asked for by its number');
  const product = await shop.products.findByPk(number);
  if (product === null) throw new Refusal(404, 'There is no such product');
  return product;
}

function productIdIn(body: string | null): unknown {
  try {
    const order: unknown = JSON.parse(body ?? '');
    if (typeof order === 'object' && order !== null && 'productId' in order) return order.productId;
  } catch {
    // As good as nothing.
  }
  throw new Refusal(400, 'The order must be {"productId": …}');
}

/** In place of a call to somebody who takes the money. Meanwhile a proxy lends the database connection to others. */
async function pay(): Promise<void> {
  if (settings.paymentMs > 0) await setTimeout(settings.paymentMs);
}

function reply(statusCode: number, body: object): APIGatewayProxyResult {
  const headers = { 'Content-Type': 'application/json' };
  return { statusCode, headers, body: JSON.stringify(body) };
}

/** No more than the words: errors of Sequelize's hold the statement, too, and its values, which are not for the log. */
function log(requestId: string, problem: unknown): void {
  const [error, message] =
    problem instanceof Error ? [problem.name, problem.message] : ['unknown', String(problem)];
  console.error(JSON.stringify({ level: 'ERROR', requestId, error, message }));
}
