/** One run: one scenario against one target with an empty store, from its start to its last deleted file. */

import type { Leftovers } from './leftovers.ts';
import { LoadCrew } from './load/load-crew.ts';
import { makeQuotaMemory } from './load/quota.ts';
import { settle } from './machine.ts';
import { Measurement } from './measurement.ts';
import type { Progress } from './progress.ts';
import type { RunResult } from './result.ts';
import { type Load, MAX_HELD_BYTES, meanSize, readsFiles, type Scenario } from './scenario.ts';
import type { RunningTarget, Target } from './targets/target.ts';

const WARM_UP_BYTES = 400e6;

export interface RunSettings {
  readonly scenario: Scenario;
  readonly target: Target;
  /** Parent of the temporary folder with the store. */
  readonly directory: string;
  /** Threads of each load. */
  readonly threads: readonly number[];
  readonly warmUpMs: number;
  /** What uploads of the measured time may leave on the target. */
  readonly maxHeldBytes: number;
  readonly leftovers: Leftovers;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Measures. Throws when the target cannot be started or read, or when `signal` aborts. */
export async function runScenario(settings: RunSettings): Promise<RunResult> {
  const { target, directory, leftovers, signal } = settings;
  signal.throwIfAborted();
  const folder = leftovers.makeFolder(directory);
  let running: RunningTarget | null = null;
  try {
    report(settings, 'starting');
    running = await target.start(folder);
    signal.throwIfAborted();
    return await measureTarget(settings, running);
  } finally {
    await running?.stop();
    leftovers.removeFolder(folder);
    await settle(directory);
  }
}

function report(settings: RunSettings, phase: Progress['phase']): void {
  const { scenario, target } = settings;
  settings.onProgress({
    scenario: scenario.name,
    target: target.name,
    phase,
    elapsedSeconds: 0,
    totalSeconds: 0,
    loads: [],
  });
}

function seedBytes(loads: readonly Load[]): number {
  return loads.filter(readsFiles).reduce((sum, load) => sum + load.files * meanSize(load.sizes), 0);
}

async function measureTarget(settings: RunSettings, running: RunningTarget): Promise<RunResult> {
  const { scenario, threads, signal } = settings;
  const heldLimit = Math.min(settings.maxHeldBytes, MAX_HELD_BYTES - WARM_UP_BYTES - seedBytes(scenario.loads));
  const crew = new LoadCrew({
    endpoint: running.endpoint,
    loads: scenario.loads.map((load, index) => ({ load, threads: threads[index] ?? 1 })),
    runId: `bench-${Date.now().toString(36)}-${process.pid}`,
    quota: makeQuotaMemory(scenario.loads.length, heldLimit),
    warmUpQuota: makeQuotaMemory(scenario.loads.length, WARM_UP_BYTES),
  });
  const abort = (): void => void crew.close();
  signal.addEventListener('abort', abort);
  try {
    report(settings, 'preparing');
    await crew.prepare();
    report(settings, 'warming up');
    if (settings.warmUpMs > 0) await crew.warmUp(settings.warmUpMs);
    const measured = await new Measurement({ ...settings, running, crew }).run();
    report(settings, 'checking');
    const readBack = running.endpoint.keepsUploads ? await crew.readBack() : null;
    report(settings, 'cleaning');
    return { ...measured, readBack, filesLeft: settings.target.isOurs ? 0 : await crew.clean() };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    await crew.close();
  }
}
