/** Results of the load generator made up for tests of what is done with them. */

import type { Report, RunResult } from '../../bench/result.ts';

export interface SampleChoice {
  readonly target?: string;
  readonly scenario?: string;
  readonly bytesPerSecond?: number;
  readonly p99Ms?: number;
  readonly limit?: RunResult['limit'];
  readonly errors?: Readonly<Record<string, number>>;
}

/** One run with one load of PUTs. */
export function sampleRun(choice: SampleChoice = {}): RunResult {
  const bytesPerSecond = choice.bytesPerSecond ?? 1.4e9;
  const p99Ms = choice.p99Ms ?? 4;
  const scenario = choice.scenario ?? 'PUT of 64 KiB';
  const seconds = [0.25, 0.5, 0.75, 1];
  return {
    scenario,
    target: choice.target ?? 'server',
    targetDescription: 'a sample',
    folder: 'tmpfs (/dev/shm)',
    startedAt: '2030-01-01T00:00:00.000Z',
    seconds: 1,
    loads: [
      {
        name: 'PUT 64 KiB, 32 conns',
        operation: 'put',
        isOpenLoop: false,
        requests: 1000,
        bytes: bytesPerSecond,
        requestsPerSecond: bytesPerSecond / 65_536,
        bytesPerSecond,
        latency: { count: 1000, meanMs: 1.2, p50Ms: 1, p90Ms: 2, p99Ms, p999Ms: p99Ms * 2, maxMs: p99Ms * 3 },
        distribution: [
          { quantile: 0, ms: 0.4 },
          { quantile: 0.5, ms: 1 },
          { quantile: 0.99, ms: p99Ms },
          { quantile: 1, ms: p99Ms * 3 },
        ],
        errors: choice.errors ?? {},
        latenessP99Ms: null,
        moments: seconds.map((atSeconds) => ({
          atSeconds,
          requestsPerSecond: 1000,
          bytesPerSecond: bytesPerSecond * (0.9 + atSeconds / 10),
          p50Ms: 1,
          p99Ms: p99Ms * atSeconds,
          errors: 0,
        })),
      },
    ],
    generator: { threads: 1, cpuCores: 0.5, busiestThread: 0.45 },
    server: {
      cpuSeconds: 1.5,
      cpuCores: 1.5,
      busiestThread: 0.8,
      peakResidentBytes: 120e6,
      moments: seconds.map((atSeconds) => ({ atSeconds, cpuCores: 1.5, residentBytes: 1e8 + atSeconds * 1e7 })),
    },
    cpuSecondsPerGb: 1.07,
    otherCores: 0,
    limit: choice.limit ?? 'server',
    readBack: { checked: 16, errors: {} },
    filesLeft: 0,
  };
}

/** A report over runs, with a comparison when it is given one. */
export function sampleReport(runs: readonly RunResult[], comparisons: Report['comparisons'] = []): Report {
  return {
    title: 'PUT of 64 KiB',
    madeAt: '2030-01-01T12:34:56.000Z',
    command: 'bench put-64k',
    machine: { cores: 2, processor: 'A processor', memoryBytes: 24e9, system: 'Linux 6.1', node: 'v20.20.0' },
    runs,
    comparisons,
  };
}
