/**
 * Goes through the versions of all files once, in the background: what a crash left there, or a MaxVersions that is
 * lower than it was, is nothing that anybody sees.
 */

import type { EventPublisher } from '../../shared/events.ts';
import type { TidiedShard } from '../../shared/worker-jobs.ts';
import { JobError, type JobPool } from '../lanes/job-pool.ts';
import type { StoreHealth } from './store-health.ts';

export interface TidyDependencies {
  readonly jobs: JobPool;
  readonly events: EventPublisher;
  readonly health: StoreHealth;
  /** How many versions of a file are kept; null: all. */
  readonly keep: () => number | null;
  readonly isOver: () => boolean;
}

/** Shard by shard, so that other jobs come in between. Never rejects. */
export async function tidyVersions({ jobs, events, health, keep, isOver }: TidyDependencies): Promise<void> {
  let after: string | null = null;
  try {
    while (!isOver()) {
      const { shard, removed }: TidiedShard = await jobs.run({ task: 'tidy-versions', after, keep: keep() });
      for (const version of removed) events.publish({ type: 'version.removed', ...version });
      if (shard === null) return;
      after = shard;
    }
  } catch (error) {
    // The end of the jobs' thread is the end of the server, and says so itself.
    if (error instanceof JobError) health.report(error.failure);
  }
}
