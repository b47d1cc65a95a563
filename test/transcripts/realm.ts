import type { PostgresMemory } from '../../src/engine/postgres/memory.ts';
import { Realms } from '../../src/engine/postgres/realm.ts';
import { parseMessages } from '../support/messages.ts';
import { parse, parsed, ready, sync } from './conversations.ts';
import { anybody, freshMemory, Rig, usualOptions } from './rig.ts';

/** Connections and sessions of one user and database. */
export function realm(): {
  memory(): PostgresMemory;
  rig(memory: PostgresMemory, most?: number): Rig;
} {
  const shared = new Realms().of('');
  return {
    memory: () => freshMemory(undefined, shared),
    rig: (memory, most = 200) =>
      new Rig(memory, {
        who: { ...anybody, realm: shared },
        options: { ...usualOptions, maxPreparedStatements: most },
      }),
  };
}

/** Messages for the database since last asked, as type and text: `P sluice_1 select 1`. */
export function sent(rig: Rig): readonly string[] {
  const messages = parseMessages(Buffer.concat(rig.toServerBytes));
  const lines = messages.map(({ type, body }) => {
    const words = Buffer.from(body).toString('latin1').split('\0');
    if (type === 'P' || type === 'B') return `${type} ${words[0]}|${words[1]}`;
    return 'DCE'.includes(type) ? `${type} ${words[0]}` : type;
  });
  rig.toServerBytes.length = 0;
  rig.passed();
  return lines;
}

/** A session that has prepared `select 1` as `a`. */
export function prepared(rig: Rig): Rig {
  rig.client(parse('a', 'select 1'), sync()).server(parsed, ready());
  sent(rig);
  rig.heard();
  return rig;
}

/** In pieces of so many bytes. */
export function cut(bytes: Uint8Array, pieceBytes: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    pieces.push(bytes.slice(at, at + pieceBytes));
  return pieces;
}
