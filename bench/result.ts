/** What a run of the harness found out: the data behind the table, the JSON file and the HTML report. */

import type { DistributionPoint } from './histogram.ts';
import type { Limit } from './limit.ts';

/** Times in milliseconds. `count` includes answers that came after the measured time. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** One quarter of a second, more or less, of one load. */
export interface LoadMoment {
  readonly atSeconds: number;
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

export interface LoadResult {
  readonly name: string;
  readonly operation: string;
  readonly isOpenLoop: boolean;
  readonly requests: number;
  readonly bytes: number;
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly latency: LatencySummary;
  readonly distribution: readonly DistributionPoint[];
  readonly errors: Readonly<Record<string, number>>;
  /** How late the generator itself was in an open loop, 99th percentile; null for a closed loop. */
  readonly latenessP99Ms: number | null;
  readonly moments: readonly LoadMoment[];
}

export interface ServerMoment {
  readonly atSeconds: number;
  readonly cpuCores: number;
  readonly residentBytes: number;
}

/** The server's processes during the measured time. */
export interface ServerUsage {
  readonly cpuSeconds: number;
  readonly cpuCores: number;
  /** Share of one core that its busiest thread used, 0 to 1. */
  readonly busiestThread: number;
  readonly peakResidentBytes: number;
  readonly moments: readonly ServerMoment[];
}

/** The generator's own part. */
export interface GeneratorUsage {
  readonly threads: number;
  readonly cpuCores: number;
  /** Share of one core that its busiest load thread used, 0 to 1; null where the kernel does not tell. */
  readonly busiestThread: number | null;
}

export interface RunResult {
  readonly scenario: string;
  readonly target: string;
  readonly targetDescription: string;
  /** File system kind and folder of the store. */
  readonly folder: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly loads: readonly LoadResult[];
  readonly generator: GeneratorUsage;
  readonly server: ServerUsage | null;
  /** The server's CPU seconds for each 10^9 body bytes of all loads together; null when not known, or nothing moved. */
  readonly cpuSecondsPerGb: number | null;
  /** Cores that processes other than generator and server used; 0 when those of the server are not known. */
  readonly otherCores: number;
  readonly limit: Limit;
  /** Uploads that were read again afterwards. */
  readonly readBack: { readonly checked: number; readonly errors: Readonly<Record<string, number>> } | null;
  /** Files that the run could not delete from a target that it did not start. */
  readonly filesLeft: number;
}

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
}

/** Two targets, alternating. Ratios above 1 mean that the first was better. */
export interface Comparison {
  readonly scenario: string;
  readonly folder: string;
  readonly load: string;
  readonly metric: string;
  readonly first: { readonly target: string; readonly values: readonly number[]; readonly median: number };
  readonly second: { readonly target: string; readonly values: readonly number[]; readonly median: number };
  /** Ratio of the medians. */
  readonly ratio: number;
  /** Ratio of each pair, lowest and highest. */
  readonly lowest: number;
  readonly highest: number;
  /** Null: no least ratio was asked for. */
  readonly isEnough: boolean | null;
}

export interface Report {
  readonly title: string;
  readonly madeAt: string;
  readonly command: string;
  readonly machine: Machine;
  readonly runs: readonly RunResult[];
  readonly comparisons: readonly Comparison[];
}

/** Sum of all errors of a run: failed requests and uploads that could not be read again. */
export function countErrors(run: RunResult): number {
  const kinds = [...run.loads.map((load) => load.errors), run.readBack?.errors ?? {}];
  return kinds.flatMap((errors) => Object.values(errors)).reduce((sum, count) => sum + count, 0);
}
