/** Short jobs on the store, beside the lanes: start-up, recovery, probes. One thread does them in turn. */

import type { EventPublisher } from '../shared/events.ts';
import type { JobResults, ShortJob, WorkerSettings } from '../shared/messages.ts';
import type { StorageFailure } from '../shared/storage-error.ts';
import type { PoolStats } from './worker-pool.ts';
import { WorkerThreads } from './worker-threads.ts';

const THREADS = 1;

/** A short job that failed; carries what the worker said. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly failure: StorageFailure;

  constructor(failure: StorageFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

export class JobPool {
  private readonly threads: WorkerThreads;
  private running = 0;

  constructor({ settings, events }: { settings: WorkerSettings; events: EventPublisher }) {
    const onError = ({ message }: Error): void =>
      events.publish({ type: 'worker.crashed', lane: 'job', code: message, transfers: 0 });
    this.threads = new WorkerThreads({ threads: THREADS, settings, onError });
  }

  get stats(): PoolStats {
    return {
      workers: this.threads.count,
      busy: Math.min(this.running, THREADS),
      queued: Math.max(0, this.running - THREADS),
    };
  }

  /** Runs a short job. Throws a JobError with the worker's own words. */
  async run<J extends ShortJob>(job: J): Promise<JobResults[J['task']]> {
    this.running += 1;
    try {
      const answer = await this.threads.run(job);
      if (!answer.isDone) throw new JobError(answer.failure);
      // The worker answers each task with its own result: `workers/index.ts` is checked against the same table.
      return answer.value as JobResults[J['task']];
    } finally {
      this.running -= 1;
    }
  }

  stop(): Promise<void> {
    return this.threads.stop();
  }
}
