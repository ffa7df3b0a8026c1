/** The port between the composition root and whoever hosts the data planes: this thread, or threads of their own. */

import type { Config } from '../config/config.ts';
import type { LagReading } from '../events/event-loop-lag.ts';
import type { Port } from '../front-end.ts';
import type { PoolStats } from '../lanes/worker-pool.ts';

export interface Listeners {
  /** Where clients connect to. It may listen once `start` has resolved. */
  readonly port: Port;
  /** Resolves when requests may come to all of them; they wait until the store is open. Errors: StartError. */
  start(): Promise<void>;
  /** The store is open: requests are taken up. */
  storeOpened(): void;
  /** What a new configuration changes while the server runs. Resolves when it is in effect everywhere. */
  applyConfig(config: Config): Promise<void>;
  /** How many serve at this moment. */
  readonly serving: number;
  /** Of all of them together. */
  readonly poolStats: PoolStats;
  /** Events that were given up before they reached the dispatcher. */
  readonly droppedEvents: number;
  /** How late their event loops were since the last call, the worst of each figure; null: they are on this thread. */
  readLag(): LagReading | null;
  /** The same of the last second alone, however often it is asked. */
  readonly latestLag: LagReading | null;
  /** Connections are told to close with their next answer; new ones are taken. */
  drain(): void;
  /** Connections are kept again. */
  resume(): void;
  /** Takes no new connections either; what runs goes on. */
  stopAccepting(): void;
  /** Ends what still runs, without a trace of unfinished uploads, and frees everything. */
  stop(): Promise<void>;
  /** Lets go of all connections, so that the process may be ended; resolves soon, whatever happens. */
  abandon(): Promise<void>;
}
