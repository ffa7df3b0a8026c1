/** Threads that run what `src/workers` offers, one job at a time each. Nobody else imports Piscina. */

import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { WorkerAnswer, WorkerJob, WorkerSettings } from '../../shared/worker-jobs.ts';

/** Workers hold little but native memory: the smallest young generation that V8 has keeps their garbage small. */
const YOUNG_GENERATION_MB = 3;

/** A thread loads only what its jobs need: code takes time at the start, and memory. */
const entries = { lanes: 'lane-entry.js', jobs: 'job-entry.js' } as const;

export interface WorkerThreadsOptions {
  readonly purpose: keyof typeof entries;
  readonly threads: number;
  readonly settings: WorkerSettings;
  /** A thread died while it had nothing to do. */
  readonly onError: (error: Error) => void;
}

export class WorkerThreads {
  private readonly pool: Piscina;

  constructor({ purpose, threads, settings, onError }: WorkerThreadsOptions) {
    this.pool = new Piscina({
      filename: new URL(`../../workers/${entries[purpose]}`, import.meta.url).href,
      name: 'runJob',
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
      recordTiming: false,
      execArgv: workerArguments(),
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.pool.on('error', onError);
  }

  /** Threads that live at this moment. */
  get count(): number {
    return this.pool.threads.length;
  }

  /** Rejects when the thread dies; what the job itself fails with is in the answer. */
  run(job: WorkerJob, moved: readonly MessagePort[] = []): Promise<WorkerAnswer> {
    return this.pool.run(job, { transferList: [...moved] });
  }

  /** Ends the threads, whatever they do. */
  stop(): Promise<void> {
    return this.pool.destroy();
  }
}

/**
 * Piscina tries `require` before `import`. Newer versions of Node 20 load ES modules that way, synchronously, and abort
 * the process when the thread is ended meanwhile. The process's own arguments are not repeated: V8's hold for all
 * threads as they are, and are refused here.
 */
function workerArguments(): string[] {
  const option = '--no-experimental-require-module';
  return process.allowedNodeEnvironmentFlags.has(option) ? [option] : [];
}
