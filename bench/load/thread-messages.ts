/** Everything that the main thread and a load thread say to each other. Plain data. */

import type { Endpoint } from '../endpoint.ts';
import type { Load } from '../scenario.ts';
import type { QuotaMemory } from './quota.ts';
import type { LoadInterval } from './recorder.ts';
import type { ThreadUsage } from './thread-usage.ts';

/** What a load thread is started with. Each thread serves one load: a flood must not delay the probe beside it. */
export interface ThreadPlan {
  readonly endpoint: Endpoint;
  readonly load: Load;
  /** Place of the load in its scenario. */
  readonly loadIndex: number;
  /** First segment of every path of this run. */
  readonly runId: string;
  /** Place of this thread among those of its load. */
  readonly threadIndex: number;
  /** How many threads serve the load: no more than it has connections. */
  readonly threads: number;
  readonly quota: QuotaMemory;
  readonly warmUpQuota: QuotaMemory;
}

export type ToThread =
  /** Uploads this thread's share of the files to read, and prepares requests. */
  | { readonly type: 'prepare' }
  | { readonly type: 'warm-up'; readonly durationMs: number }
  /** Begins at `startMs`; nothing new after `endMs`. Both monotonic. */
  | { readonly type: 'measure'; readonly startMs: number; readonly endMs: number }
  /** Nothing new after `endMs`; what is under way gets until `drainMs` later. */
  | { readonly type: 'end'; readonly endMs: number; readonly drainMs: number }
  /** Reads a sample of the uploads again. */
  | { readonly type: 'read-back' }
  /** Deletes what this thread uploaded, where the target offers that. */
  | { readonly type: 'clean' };

export type FromThread =
  | { readonly type: 'prepared' }
  | { readonly type: 'warmed-up' }
  /** What happened since the last one. `usage` counts from the start of the thread. */
  | { readonly type: 'interval'; readonly interval: LoadInterval; readonly usage: ThreadUsage | null }
  /**
   * Nothing more to begin, and all is answered: the last right answer came at `lastMs`, 0: there was none. The last interval was sent
   * before.
   */
  | { readonly type: 'drained'; readonly lastMs: number }
  | {
      readonly type: 'read-back-done';
      readonly sent: number;
      readonly errors: Readonly<Record<string, number>>;
    }
  | { readonly type: 'cleaned'; readonly deleted: number; readonly left: number }
  /** The thread cannot go on. */
  | { readonly type: 'failed'; readonly message: string };
