/** Every message between the main thread and a listener thread. Plain data only. */

import type { StorageFailure } from '../../shared/storage-error.ts';
import type { WorkerSettings } from '../../shared/worker-jobs.ts';
import type { Config } from '../config/config.ts';
import type { EventInterest } from '../events/event-dispatcher.ts';
import type { LagReading } from '../events/event-loop-lag.ts';
import type { EventBatch } from '../events/event-relay.ts';
import type { PoolStats } from '../lanes/worker-pool.ts';
import type { PlaneShare } from '../plane-share.ts';
import type { SharedMemory } from '../shared-memory.ts';
import type { ServerDescriptor } from '../uws/uws-acceptor.ts';

/** What a listener thread is started with. */
export interface ListenerSettings {
  /** Prefix of request ids; a thread that replaces another one has a new name. */
  readonly name: string;
  /** Number among the listeners, from 0. */
  readonly plane: number;
  readonly config: Config;
  readonly share: PlaneShare;
  readonly workerSettings: WorkerSettings;
  readonly memory: SharedMemory;
  readonly interests: readonly EventInterest[];
  /** False: requests wait for `store.opened`. */
  readonly isStoreOpen: boolean;
}

/** What a listener is like, told once a second. */
export interface ListenerFigures {
  readonly pool: PoolStats;
  readonly lag: LagReading;
}

export type ToListener =
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'interests'; readonly interests: readonly EventInterest[] }
  /** A batch of events has been published. */
  | { readonly type: 'events.taken' }
  /** No connection is handed to what the server was before it was renewed. */
  | { readonly type: 'retire' }
  | { readonly type: 'store.opened' }
  /** Connections are to be told to close with their next answer. */
  | { readonly type: 'drain' }
  /** Connections are kept again. */
  | { readonly type: 'resume' }
  /** No connection will be handed over any more: end, and leave nothing. */
  | { readonly type: 'stop' }
  /** The same, but at once: let go of all connections and wait for nothing. */
  | { readonly type: 'abandon' };

export type FromListener =
  | { readonly type: 'ready'; readonly server: ServerDescriptor }
  /** It has a new certificate: connections go to this one from now on. */
  | { readonly type: 'renewed'; readonly server: ServerDescriptor }
  | { readonly type: 'events'; readonly batch: EventBatch }
  /** In the order in which the configurations came. */
  | { readonly type: 'config.applied' }
  | { readonly type: 'figures'; readonly figures: ListenerFigures }
  | { readonly type: 'store.failed'; readonly failure: StorageFailure }
  /** An exception that nobody expected: the thread must not go on, and waits for `stop`. */
  | { readonly type: 'failed'; readonly message: string; readonly stack: string; readonly transfers: number };
