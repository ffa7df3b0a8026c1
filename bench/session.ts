/** All runs of one command: every scenario in every folder against every target, alternating, and what follows from them. */

import type { BenchOptions } from './bench-options.ts';
import type { Leftovers } from './leftovers.ts';
import { fileSystemOf } from './machine.ts';
import { LiveDisplay, type ProgressOutput } from './report/live-display.ts';
import type { Comparison, RunResult } from './result.ts';
import { runScenario } from './run-scenario.ts';
import type { Load, Scenario } from './scenario.ts';
import type { Target } from './targets/target.ts';
import { compare } from './versus.ts';

const MOST_THREADS = 8;

export interface SessionSettings {
  readonly options: BenchOptions;
  readonly targets: readonly Target[];
  readonly cores: number;
  readonly leftovers: Leftovers;
  readonly signal: AbortSignal;
  readonly output: ProgressOutput;
}

export interface SessionResult {
  readonly runs: readonly RunResult[];
  readonly comparisons: readonly Comparison[];
}

/** Half of the cores, so that the server has the other half; never more threads than connections. */
export function suitableThreads(wanted: number | null, cores: number, load: Load): number {
  const most = wanted ?? Math.min(MOST_THREADS, Math.max(1, Math.floor(cores / 2)));
  return Math.min(most, load.connections);
}

export async function runSession(settings: SessionSettings): Promise<SessionResult> {
  const { options, targets } = settings;
  const display = new LiveDisplay(
    settings.output,
    options.directories.length * options.scenarios.length * options.repeat * targets.length,
  );
  const runs: RunResult[] = [];
  const comparisons: Comparison[] = [];
  for (const directory of options.directories) {
    for (const scenario of options.scenarios) {
      const own = await runRepeats(settings, display, scenario, directory);
      runs.push(...own);
      comparisons.push(...compareOwn(settings, scenario, directory, own));
    }
  }
  return { runs, comparisons };
}

async function runRepeats(
  { options, targets, cores, leftovers, signal }: SessionSettings,
  display: LiveDisplay,
  scenario: Scenario,
  directory: string,
): Promise<RunResult[]> {
  const runs: RunResult[] = [];
  for (let repeat = 0; repeat < options.repeat; repeat += 1) {
    for (const target of targets) {
      const run = await runScenario({
        scenario,
        target,
        directory,
        threads: scenario.loads.map((load) => suitableThreads(options.threads, cores, load)),
        warmUpMs: options.warmUpMs,
        maxHeldBytes: options.maxHeldBytes,
        leftovers,
        onProgress: (progress) => display.show(progress),
        signal,
      });
      display.finish(run);
      runs.push(run);
    }
  }
  return runs;
}

function compareOwn(
  { options, targets }: SessionSettings,
  scenario: Scenario,
  directory: string,
  runs: readonly RunResult[],
): Comparison[] {
  const [first, second] = targets;
  if (!options.isComparison || first === undefined || second === undefined) return [];
  return compare({
    scenario,
    folder: `${fileSystemOf(directory)} (${directory})`,
    targets: [first.name, second.name],
    runs,
    metric: options.metric,
    minRatio: options.minRatio,
  });
}
