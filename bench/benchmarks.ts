import { relayBenchmark } from './micro/relay.ts';
import { mysqlBenchmark } from './mysql/benchmark.ts';
import { postgresBenchmark } from './postgres/benchmark.ts';
import { sqlserverBenchmark } from './sqlserver/benchmark.ts';
import type { Benchmark } from './stage.ts';

export const benchmarks: readonly Benchmark[] = [
  postgresBenchmark,
  mysqlBenchmark,
  sqlserverBenchmark,
  relayBenchmark,
];
