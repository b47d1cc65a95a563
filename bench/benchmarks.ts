import { relayBenchmark } from './micro/relay.ts';
import type { Benchmark } from './stage.ts';

export const benchmarks: readonly Benchmark[] = [relayBenchmark];
