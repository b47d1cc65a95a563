import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import type { Labels, MetricType } from './exposition.ts';

export interface ProcessFacts {
  readonly version: string;
  readonly runtime: string;
  readonly startedAtMs: number;
  readonly residentBytes: number;
  /** User and system time together. */
  readonly cpuSeconds: number;
  /** Undefined where the system does not tell. */
  readonly openFiles: number | undefined;
  /** The longest that a timer was late since the last scrape. */
  readonly loopLagMs: number;
}

interface ProcessFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels?: (facts: ProcessFacts) => Labels;
  readonly value: (facts: ProcessFacts) => number | undefined;
}

/** Prometheus's own names for what every process has. */
export const processFamilies: readonly ProcessFamily[] = [
  {
    name: 'sluice_build_info',
    type: 'gauge',
    help: 'Always 1; the labels tell what is running.',
    labels: ({ version, runtime }) => ({ version, runtime }),
    value: () => 1,
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, in seconds since 1970.',
    value: (facts) => facts.startedAtMs / 1000,
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time used, user and system.',
    value: (facts) => facts.cpuSeconds,
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory.',
    value: (facts) => facts.residentBytes,
  },
  {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'Open file descriptors, where the system tells.',
    value: (facts) => facts.openFiles,
  },
  {
    name: 'sluice_event_loop_lag_seconds',
    type: 'gauge',
    help: 'The longest that a timer was late since the last scrape.',
    value: (facts) => facts.loopLagMs / 1000,
  },
];

const LAG_PERIOD_MS = 500;

/** Watches this process until `stop()`. Each call of `facts` begins a new measurement of the event loop's lag. */
export function watchProcess(clock: Clock, version: string) {
  const startedAtMs = clock.wallMs();
  let dueMs = clock.nowMs() + LAG_PERIOD_MS;
  let loopLagMs = 0;
  const stop = clock.every(LAG_PERIOD_MS, () => {
    loopLagMs = Math.max(loopLagMs, clock.nowMs() - dueMs);
    dueMs = clock.nowMs() + LAG_PERIOD_MS;
  });
  const facts = async (): Promise<ProcessFacts> => {
    const openFiles = await countOpenFiles();
    const { user, system } = process.cpuUsage();
    const lagMs = loopLagMs;
    loopLagMs = 0;
    return {
      version,
      runtime: `bun ${Bun.version}`,
      startedAtMs,
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      openFiles,
      loopLagMs: lagMs,
    };
  };
  return { facts, stop };
}

/** From Linux 6.2 on the folder's size is the number; reading 15 000 entries takes 30 ms, so that is left to a thread. */
async function countOpenFiles(): Promise<number | undefined> {
  const folder = '/proc/self/fd';
  try {
    const { size } = statSync(folder);
    return size > 0 ? size : (await readdir(folder)).length;
  } catch {
    return undefined;
  }
}
