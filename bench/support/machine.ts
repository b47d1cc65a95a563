import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { familyTicks } from './processes.ts';

/** What the figures were measured on. */
export interface Machine {
  readonly model: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Over the last minute, before anything was started. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    model: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    loadAverage: loadavg()[0] ?? 0,
  };
}

/** The first line of `/proc/stat`, in ticks of the kernel's, of all processors together. */
export interface MachineTicks {
  /** Programs and what the kernel did for them. */
  readonly busy: number;
  /** What a hypervisor has given to others. */
  readonly stolen: number;
  readonly all: number;
}

export function parseMachineTicks(text: string): MachineTicks {
  const [line = ''] = text.split('\n');
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, stolen = 0] =
    line.split(/\s+/).slice(1).map(Number);
  // Interrupts are busy, too, but nobody's: our own packets cause them.
  const busy = user + nice + system;
  return { busy, stolen, all: busy + idle + wait + irq + softirq + stolen };
}

export interface MachineReading {
  readonly machine: MachineTicks;
  /** Of this process and all that it has started. */
  readonly ours: number;
}

export function readMachine(): MachineReading {
  return {
    machine: parseMachineTicks(readFileSync('/proc/stat', 'latin1')),
    ours: familyTicks(process.pid),
  };
}

/** How much of the processors' time others took between the two readings, in percent: programs that are not ours, and a hypervisor. */
export function disturbance(before: MachineReading, after: MachineReading): number {
  const all = after.machine.all - before.machine.all;
  const busy = after.machine.busy - before.machine.busy;
  const stolen = after.machine.stolen - before.machine.stolen;
  const others = Math.max(0, busy - (after.ours - before.ours));
  return (100 * (others + stolen)) / Math.max(1, all);
}
