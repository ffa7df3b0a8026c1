/** One row per scenario, folder, target and load: the medians of its repeated runs. What table and HTML report show. */

import { groupBy } from '../group-by.ts';
import type { Limit } from '../limit.ts';
import { formatDecimal } from '../quantity.ts';
import { countErrors, type LoadResult, type RunResult } from '../result.ts';
import { median } from '../statistics.ts';

export interface SummaryRow {
  readonly scenario: string;
  readonly folder: string;
  readonly target: string;
  readonly load: string;
  readonly operation: string;
  readonly runs: number;
  readonly bytesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The largest of all runs. */
  readonly maxMs: number;
  /** Of all runs, this load alone. */
  readonly errors: number;
  readonly cpuSecondsPerGb: number | null;
  readonly peakResidentBytes: number | null;
  readonly generatorThread: number | null;
  readonly serverCores: number | null;
  /** The most doubtful of the runs: one run with the generator as the limit marks the row. */
  readonly limit: Limit;
  /** The load of the run in the middle, for its curves. */
  readonly typical: LoadResult;
  readonly typicalRun: RunResult;
}

const DOUBT: readonly Limit[] = ['generator', 'others', 'machine', 'server', 'none'];

function nullableMedian(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

/** Groups runs; the order is that of their first appearance. */
export function summarize(runs: readonly RunResult[]): SummaryRow[] {
  const groups = groupBy(runs, (run) => JSON.stringify([run.scenario, run.folder, run.target]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : first.loads.flatMap((_, index) => summarizeLoad(group, index));
  });
}

function summarizeLoad(group: readonly RunResult[], index: number): SummaryRow[] {
  const pairs = group.flatMap((run) => {
    const load = run.loads[index];
    return load === undefined ? [] : [{ run, load }];
  });
  const middle = pairs.toSorted((a, b) => a.load.bytesPerSecond - b.load.bytesPerSecond)[Math.floor(pairs.length / 2)];
  if (middle === undefined) return [];
  const over = (pick: (load: LoadResult) => number): number => median(pairs.map(({ load }) => pick(load)));
  const { run, load } = middle;
  return [
    {
      scenario: run.scenario,
      folder: run.folder,
      target: run.target,
      load: load.name,
      operation: load.operation,
      runs: pairs.length,
      bytesPerSecond: over((each) => each.bytesPerSecond),
      requestsPerSecond: over((each) => each.requestsPerSecond),
      p50Ms: over((each) => each.latency.p50Ms),
      p90Ms: over((each) => each.latency.p90Ms),
      p99Ms: over((each) => each.latency.p99Ms),
      p999Ms: over((each) => each.latency.p999Ms),
      maxMs: Math.max(...pairs.map((each) => each.load.latency.maxMs)),
      errors: pairs.flatMap((each) => Object.values(each.load.errors)).reduce((sum, count) => sum + count, 0),
      cpuSecondsPerGb: nullableMedian(group.map((each) => each.cpuSecondsPerGb)),
      peakResidentBytes: nullableMedian(group.map((each) => each.server?.peakResidentBytes ?? null)),
      generatorThread: nullableMedian(group.map((each) => each.generator.busiestThread)),
      serverCores: nullableMedian(group.map((each) => each.server?.cpuCores ?? null)),
      limit: DOUBT.find((limit) => group.some((each) => each.limit === limit)) ?? 'none',
      typical: load,
      typicalRun: run,
    },
  ];
}

/** Body bytes per second; a dash where there are no bodies. */
export function formatThroughput(row: SummaryRow): string {
  return row.operation === 'head' ? '–' : formatDecimal(row.bytesPerSecond, 'B/s');
}

/** Errors by kind with the place where they happened, the most frequent first. */
export function listErrors(
  runs: readonly RunResult[],
): { readonly where: string; readonly kind: string; count: number }[] {
  const found = new Map<string, { readonly where: string; readonly kind: string; count: number }>();
  const note = (where: string, errors: Readonly<Record<string, number>>): void => {
    for (const [kind, count] of Object.entries(errors)) {
      const known = found.get(`${where}\n${kind}`);
      if (known === undefined) found.set(`${where}\n${kind}`, { where, kind, count });
      else known.count += count;
    }
  };
  for (const run of runs.filter((each) => countErrors(each) > 0)) {
    for (const load of run.loads) note(`${run.target}, ${load.name}`, load.errors);
    note(`${run.target}, ${run.scenario}, read again afterwards`, run.readBack?.errors ?? {});
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}
