import type { Line } from './line.ts';
import type { Figures, Measurement } from './span.ts';

interface CommonCase {
  readonly name: string;
  readonly tls: boolean;
  /** A part of the quick run. */
  readonly quick: boolean;
}

/** What is said of a load in the report. */
export interface Load {
  readonly mode: string;
  readonly clients: number;
  /** Each transaction on a connection of its own. */
  readonly reconnect: boolean;
}

/** Transactions. */
export interface LoadCase extends CommonCase {
  readonly kind: 'load';
  readonly load: Load;
  /** Puts the load on the line, measures, and takes it off again. */
  measure(line: Line, measurement: Measurement): Promise<Figures>;
}

/** Clients that do nothing. */
export interface IdleCase extends CommonCase {
  readonly kind: 'idle';
}

/** One large result. */
export interface ResultCase extends CommonCase {
  readonly kind: 'result';
  readonly reader: 'fast' | 'slow';
}

export type Case = LoadCase | IdleCase | ResultCase;

/** What is asked of every pooler, whatever its protocol. */
export const memoryCases: readonly (IdleCase | ResultCase)[] = [
  { kind: 'idle', name: 'idle', tls: false, quick: true },
  { kind: 'idle', name: 'idle TLS', tls: true, quick: false },
  { kind: 'result', name: 'result fast', tls: false, quick: true, reader: 'fast' },
  { kind: 'result', name: 'result slow', tls: false, quick: true, reader: 'slow' },
];

/** Those whose names contain one of the parts, or all of a run. */
export function chosenCases(
  cases: readonly Case[],
  parts: readonly string[],
  quick: boolean,
): readonly Case[] {
  if (parts.length > 0) {
    return cases.filter(({ name }) =>
      parts.some((part) => name.toLowerCase().includes(part.toLowerCase())),
    );
  }
  return cases.filter((one) => one.quick || !quick);
}
