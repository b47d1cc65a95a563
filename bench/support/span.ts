import { setTimeout as pause } from 'node:timers/promises';
import { disturbance, readMachine } from './machine.ts';
import type { CpuTime, Usage } from './processes.ts';
import { readUsage, usedBetween } from './processes.ts';
import { percentile } from './statistics.ts';
import type { Finish } from './finishes.ts';
import { finishedBetween, servedClients } from './finishes.ts';

/** What came of it while all clients were connected and none was leaving. */
export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The pooler's processor time for each transaction, in all and by its parts; 0 without a pooler. */
  readonly cpuMicros: number;
  readonly cpuUserMicros: number;
  readonly cpuSystemMicros: number;
  /** How many clients finished more than one transaction. */
  readonly clientsServed: number;
  /** How much of the processors' time others took meanwhile. */
  readonly disturbancePercent: number;
}

export interface Measurement {
  readonly seconds: number;
  /** The pooler's process id; undefined where there is none. */
  readonly pid: number | undefined;
  readonly signal: AbortSignal;
}

/** What is measured begins when transactions have been finished for this long. */
const LEAD_IN_MS = 250;

/** A while of which all is known. */
export interface Span {
  /** Both since 1970, by the machine's clock. */
  readonly beganMicros: number;
  readonly endedMicros: number;
  readonly used: CpuTime;
  readonly disturbancePercent: number;
}

/** Watches the pooler and the machine while the load is on. */
export async function observe({ seconds, pid, signal }: Measurement): Promise<Span> {
  await pause(LEAD_IN_MS, undefined, { signal });
  const before = glance(pid);
  await pause(seconds * 1000, undefined, { signal });
  const after = glance(pid);
  return {
    beganMicros: before.atMicros,
    endedMicros: after.atMicros,
    used: usedBetween(before.usage, after.usage),
    disturbancePercent: disturbance(before.machine, after.machine),
  };
}

function glance(pid: number | undefined) {
  const usage: Usage = pid === undefined ? new Map() : readUsage(pid);
  return { atMicros: Date.now() * 1000, usage, machine: readMachine() };
}

export function figuresOf(finishes: readonly Finish[], span: Span, sinceLast: boolean): Figures {
  const { beganMicros, endedMicros, used, disturbancePercent } = span;
  const { count, latencies } = finishedBetween(finishes, span, sinceLast);
  return {
    perSecond: count / ((endedMicros - beganMicros) / 1e6),
    p50Ms: (percentile(latencies, 50) ?? Number.NaN) / 1000,
    p99Ms: (percentile(latencies, 99) ?? Number.NaN) / 1000,
    cpuMicros: used.micros / count,
    cpuUserMicros: used.userMicros / count,
    cpuSystemMicros: used.systemMicros / count,
    clientsServed: servedClients(finishes),
    disturbancePercent,
  };
}
