/** Jobs on the store, beside the lanes: start-up, recovery, probes, commands. One thread does them in turn. */

import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { EventPublisher } from '../../shared/events.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { FromScrub, ScrubProgress } from '../../shared/store-reports.ts';
import type { CommandJob, JobResults, ShortJob, WorkerSettings } from '../../shared/worker-jobs.ts';
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
    this.threads = new WorkerThreads({ purpose: 'jobs', threads: THREADS, settings, onError });
  }

  get stats(): PoolStats {
    return {
      workers: this.threads.count,
      busy: Math.min(this.running, THREADS),
      queued: Math.max(0, this.running - THREADS),
    };
  }

  /** Runs a job, moving the ports that it names. Throws a JobError with the worker's own words. */
  async run<J extends ShortJob | CommandJob>(
    job: J,
    ports: readonly MessagePort[] = [],
  ): Promise<JobResults[J['task']]> {
    this.running += 1;
    try {
      const answer = await this.threads.run(job, ports);
      if (!answer.isDone) throw new JobError(answer.failure);
      // The worker answers each task with its own result: `workers/job-entry.ts` is checked against the same table.
      return answer.value as JobResults[J['task']];
    } finally {
      this.running -= 1;
    }
  }

  /** Compares all contents with their digests; `onMessage` is told on the way, and of everything before this resolves. */
  async scrub(onMessage: (message: FromScrub) => void): Promise<ScrubProgress> {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', onMessage);
    try {
      return await this.run({ task: 'scrub', port: port2 }, [port2]);
    } finally {
      // The answer comes another way, and may overtake them.
      for (let item = receiveMessageOnPort(port1); item !== undefined; item = receiveMessageOnPort(port1)) {
        onMessage(item.message);
      }
      port1.close();
    }
  }

  stop(): Promise<void> {
    return this.threads.stop();
  }
}
