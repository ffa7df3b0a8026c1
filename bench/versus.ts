/**
 * Two targets, measured alternately, A B A B: what disturbs one run of a pair disturbs the other too, and medians of many pairs tell a
 * change from noise. Ratios are always better over worse for the first target: above 1 means that it won.
 */

import type { Comparison, LoadResult, RunResult } from './result.ts';
import type { Load, Scenario } from './scenario.ts';
import { median } from './statistics.ts';

interface Metric {
  readonly value: (load: LoadResult, run: RunResult) => number | null;
  readonly isLowerBetter: boolean;
}

const METRIC_TABLE = {
  throughput: { value: (load) => load.bytesPerSecond, isLowerBetter: false },
  requests: { value: (load) => load.requestsPerSecond, isLowerBetter: false },
  p50: { value: (load) => load.latency.p50Ms, isLowerBetter: true },
  p99: { value: (load) => load.latency.p99Ms, isLowerBetter: true },
  cpu: { value: (_, run) => run.cpuSecondsPerGb, isLowerBetter: true },
  memory: { value: (_, run) => run.server?.peakResidentBytes ?? null, isLowerBetter: true },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRIC_TABLE;

export const METRICS = Object.keys(METRIC_TABLE) as MetricName[];

/** Throughput for bodies, requests per second without them, the 99th percentile where the rate is fixed; null: the pace is ours. */
function suitableMetric(load: Load): MetricName | null {
  if (load.ratePerSecond !== null) return 'p99';
  if (load.bytesPerSecond !== null) return null;
  return load.operation === 'head' ? 'requests' : 'throughput';
}

/** Runs in the order in which they were made; those of both targets are picked by name. */
export function compare(settings: {
  readonly scenario: Scenario;
  readonly folder: string;
  readonly targets: readonly [first: string, second: string];
  readonly runs: readonly RunResult[];
  readonly metric: MetricName | null;
  readonly minRatio: number | null;
}): Comparison[] {
  const { scenario, folder, targets, minRatio } = settings;
  return scenario.loads.flatMap((load, index) => {
    const name = settings.metric ?? suitableMetric(load);
    if (name === null) return [];
    const metric: Metric = METRIC_TABLE[name];
    const [first, second] = targets.map((target) => {
      const values = settings.runs
        .filter((run) => run.target === target)
        .map((run) => {
          const result = run.loads[index];
          return (result === undefined ? null : metric.value(result, run)) ?? Number.NaN;
        });
      return { target, values, median: median(values) };
    });
    if (first === undefined || second === undefined) return [];
    const ratioOf = (a: number, b: number): number => (metric.isLowerBetter ? b / a : a / b);
    const pairs = first.values.map((value, pair) => ratioOf(value, second.values[pair] ?? Number.NaN));
    const ratio = ratioOf(first.median, second.median);
    return [
      {
        scenario: scenario.name,
        folder,
        load: load.name,
        metric: name,
        first,
        second,
        ratio,
        lowest: Math.min(...pairs),
        highest: Math.max(...pairs),
        isEnough: minRatio === null ? null : ratio >= minRatio,
      },
    ];
  });
}
