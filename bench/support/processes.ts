import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What one process has used so far. */
interface ProcessUsage {
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Nanoseconds on a processor by thread. */
  readonly threads: ReadonlyMap<string, number>;
}

/** What a program, with the processes that it has started, has used so far. */
export type Usage = ReadonlyMap<number, ProcessUsage>;

/** Processor time between two readings, in microseconds. */
export interface CpuTime {
  readonly micros: number;
  readonly userMicros: number;
  readonly systemMicros: number;
}

/** The kernel tells in hundredths of a second, whatever it counts in. */
const MICROS_PER_TICK = 10_000;

interface Stat {
  readonly parent: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Of children that have ended, and theirs. */
  readonly childrenTicks: number;
}

/** A line of `/proc/PID/stat`. */
export function parseStat(text: string): Stat {
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    parent: field(4),
    userTicks: field(14),
    systemTicks: field(15),
    childrenTicks: field(16) + field(17),
  };
}

/** A size of `/proc/PID/status` or `/proc/PID/smaps_rollup`, in bytes; undefined where it is not there. */
export function parseSize(text: string, name: string): number | undefined {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** The program and all that it has started, and they in turn; nothing where it has ended. */
export function family(root: number): ReadonlyMap<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readIfThere(`/proc/${name}/stat`);
    if (stat !== undefined) stats.set(Number(name), parseStat(stat));
  }
  const members = new Map<number, Stat>();
  const add = (pid: number): void => {
    const stat = stats.get(pid);
    if (stat === undefined) return;
    members.set(pid, stat);
    for (const [child, { parent }] of stats) if (parent === pid) add(child);
  };
  add(root);
  return members;
}

export function readUsage(root: number): Usage {
  return new Map(
    [...family(root)].map(([pid, stat]) => [pid, { ...stat, threads: readThreads(pid) }]),
  );
}

/** Processor time that the program has used so far, all that it has started included, in ticks of the kernel's. */
export function familyTicks(root: number): number {
  return sum(
    [...family(root).values()].map((one) => one.userTicks + one.systemTicks + one.childrenTicks),
  );
}

/**
 * What was used between the two readings. Thread by thread it is known to the nanosecond; of a process in which a thread ended
 * meanwhile only the ticks are known, since they count the dead as well.
 */
export function usedBetween(before: Usage, after: Usage): CpuTime {
  let micros = 0;
  let userTicks = 0;
  let systemTicks = 0;
  for (const [pid, now] of after) {
    const then = before.get(pid) ?? { userTicks: 0, systemTicks: 0, threads: new Map() };
    const user = now.userTicks - then.userTicks;
    const system = now.systemTicks - then.systemTicks;
    userTicks += user;
    systemTicks += system;
    const isComplete =
      now.threads.size > 0 && [...then.threads.keys()].every((thread) => now.threads.has(thread));
    micros += isComplete
      ? (sum(now.threads.values()) - sum(then.threads.values())) / 1000
      : (user + system) * MICROS_PER_TICK;
  }
  const userPart = userTicks / Math.max(1, userTicks + systemTicks);
  return { micros, userMicros: micros * userPart, systemMicros: micros * (1 - userPart) };
}

/** Bytes in memory, of all processes of the program. */
export function residentBytes(root: number): number {
  return sum([...family(root).keys()].map((pid) => sizeOf(pid, 'status', 'VmRSS')));
}

/** The most that has been in memory since `forgetPeak`, of all processes of the program. */
export function peakBytes(root: number): number {
  return sum([...family(root).keys()].map((pid) => sizeOf(pid, 'status', 'VmHWM')));
}

/** From now on `peakBytes` counts from what is in memory now. */
export function forgetPeak(root: number): void {
  // 5: see clear_refs in proc(5).
  for (const pid of family(root).keys()) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function sizeOf(pid: number, file: string, name: string): number {
  return parseSize(readIfThere(`/proc/${pid}/${file}`) ?? '', name) ?? 0;
}

function readThreads(pid: number): ReadonlyMap<string, number> {
  const threads = new Map<string, number>();
  const folder = `/proc/${pid}/task`;
  for (const thread of existsSync(folder) ? readdirSync(folder) : []) {
    const [nanoseconds] = (readIfThere(`${folder}/${thread}/schedstat`) ?? '').split(' ');
    if (nanoseconds) threads.set(thread, Number(nanoseconds));
  }
  return threads;
}

/** Processes come and go while one looks. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
