import { must } from '../../src/base/assert.ts';
import type { Backend } from './backend.ts';
import type { Client, World } from './world.ts';

/** What may happen in a world, beside what its database does of its own accord. */
export interface Script {
  /** What a client may ask for, one letter each. */
  readonly requests: string;
  /** Unanswered requests that one client may have. */
  readonly depth: number;
  /** Letters of the principals as which clients may arrive. */
  readonly arrivals: string;
  readonly maxClients: number;
  /** Steps that time takes, in milliseconds. */
  readonly spans: readonly number[];
  /** Numbers of connections that the database may come to grant. */
  readonly grants: readonly number[];
  /** Ways in which a login fails: `c`redentials, `f`inal, `l`ater. */
  readonly refusals: string;
  readonly mayRetire: boolean;
  readonly mayDrain: boolean;
}

/** Everything that can happen next, as words that `play` understands. */
export function* possible(world: World, script: Script): Generator<string> {
  for (const client of world.clients) yield* ofClient(world, client, script);
  for (const backend of world.backends) yield* ofBackend(backend, script);
  if (world.clients.length < script.maxClients && !world.proxy.draining) {
    for (const letter of script.arrivals) yield `arrive ${letter}`;
  }
  for (const span of script.spans) yield `pass ${span}`;
  for (const grant of script.grants) if (grant !== world.pool.allowed) yield `grant ${grant}`;
  if (script.mayRetire && world.pool.connections.size > 0) yield 'retire';
  if (script.mayDrain && !world.proxy.draining) yield 'drain';
}

function* ofClient(world: World, client: Client, script: Script): Generator<string> {
  const { index, link } = client;
  if (link.isClosed) return;
  yield `leave ${index}`;
  if (client.number === undefined) return;
  // What is sent to a proxy that has said its last is sent in vain, but it is sent.
  if (client.owed < script.depth) {
    for (const letter of script.requests) {
      if (letter !== 'c' || world.sessionOf(client)?.inTransaction === true) {
        yield `ask ${index} ${letter}`;
      }
    }
  }
  if (client.owed > 0) yield `cancel ${index}`;
}

function* ofBackend(backend: Backend, script: Script): Generator<string> {
  const { number, link, todo, target } = backend;
  const [task] = todo;
  // A cancel request that the proxy gave up waiting for may still be carried out.
  if (target !== undefined) {
    if (task !== undefined) yield `answer ${number}`;
    return;
  }
  if (link.isClosed) return;
  yield `close ${number}`;
  if (task === undefined) return;
  yield `answer ${number}`;
  if (/^[a-z]{4}/.test(task)) yield `last ${number}`;
  if (task === 'enter') for (const letter of script.refusals) yield `refuse ${number} ${letter}`;
  if (task === 'ping' || task === 'reset') yield `refuse ${number} -`;
}

export function play(world: World, event: string): void {
  const [verb, first = '', second = ''] = event.split(' ');
  const client = (): Client => must(world.clients[Number(first)], event);
  const backend = (): Backend => must(world.backends[Number(first) - 1], event);
  switch (verb) {
    case 'arrive':
      world.arrive(first);
      break;
    case 'ask':
      client().send(second);
      break;
    case 'leave':
      client().leave();
      break;
    case 'cancel':
      client().cancel();
      break;
    case 'answer':
      backend().answer();
      break;
    case 'last':
      backend().answerAndClose();
      break;
    case 'refuse':
      backend().refuse(second);
      break;
    case 'close':
      backend().close();
      break;
    case 'pass':
      world.pass(Number(first));
      break;
    case 'grant':
      world.grant(Number(first));
      break;
    case 'retire':
      world.retire();
      break;
    case 'drain':
      void world.drain(DRAIN_LIMIT_MS);
      break;
    default:
      throw new Error(`nothing is called ${event}`);
  }
  world.settle();
}

const DRAIN_LIMIT_MS = 60_000;
/** Rounds of a quarter of a second: more than all requests of one client can wait one after the other. */
const PATIENCE = 500;

/**
 * Lets everything that is under way come to its end: the database answers (or, if it is `dead`, hangs up), clients end their
 * transactions, and time passes. Then the proxy drains. Tells whom it kept waiting, and what it left open.
 */
export function* rest(world: World, dead: boolean): Generator<string> {
  for (let round = 0; round < PATIENCE && isBusy(world); round += 1) {
    for (const backend of world.backends) {
      if (backend.todo.length === 0 && backend.link.isOpen) continue;
      // A dead one does not even close: the proxy must lose patience.
      if (backend.target === undefined && dead === backend.link.isOpen) backend.close();
      else if (backend.todo.length > 0 && !dead) backend.answer();
    }
    for (const client of world.clients) finishTransaction(world, client);
    world.pass(250);
  }
  for (const client of world.clients) {
    if (client.owed > 0) yield `client ${client.index} was never answered`;
    else if (isLoggingIn(client)) yield `client ${client.index} was neither let in nor refused`;
    if (!client.isOver && world.sessionOf(client) === undefined) {
      yield `client ${client.index} belongs to no session`;
    }
  }
  for (const { number, state } of world.pool.connections) {
    if (state !== 'idle' && state !== 'borrowed') yield `connection ${number} is ${state} for ever`;
  }
  if (!world.proxy.draining) play(world, 'drain');
  world.pass(DRAIN_LIMIT_MS);
  for (let round = 0; round < 3; round += 1) {
    for (const { link } of world.backends) if (link.isEnding) link.hangUp();
    world.pass(10_000);
  }
  if (world.proxy.sessions.size > 0) yield 'a session outlived the proxy';
  if (world.connections.length > 0) yield 'a database connection outlived the proxy';
  if (world.pool.connections.size > 0) yield 'the pool still counts connections';
}

function isBusy(world: World): boolean {
  return (
    world.clients.some((one) => one.owed > 0 || isLoggingIn(one)) ||
    world.backends.some(({ todo, link }) => link.isEnding || (todo.length > 0 && !link.isClosed))
  );
}

function isLoggingIn(client: Client): boolean {
  return client.number === undefined && !client.isOver;
}

function finishTransaction(world: World, client: Client): void {
  if (client.owed === 0 && world.sessionOf(client)?.inTransaction === true) client.send('c');
}
