/**
 * The store as a whole, from its opening to its end: one server holds it, what a crash left is in order before a port
 * is opened, and every second somebody looks whether it is still there. All of it is done by short jobs in a worker.
 */

import type { Socket } from 'node:net';
import type { EventPublisher } from '../../shared/events.ts';
import type { SharedFlag } from '../../shared/shared-flag.ts';
import type { LockHolder, StoreIdentity, StoreSpace } from '../../shared/worker-jobs.ts';
import type { ServerLogger } from '../events/logger.ts';
import { JobError, type JobPool } from '../lanes/job-pool.ts';
import { HUNG_LOOKS } from '../lanes/lane-watchdog.ts';
import { StartError } from '../start-error.ts';
import { type InstanceLock, lockStore } from './instance-lock.ts';
import { StoreMonitor } from './store-health.ts';

/** The lock file is refreshed at every so many looks: a third of the time after which it counts as left over. */
const LOOKS_PER_REFRESH = 10;
/** A store that does not answer any more must not hold up the end of the process. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Speaks with whoever connects to the lock of the store: another server that wants to have it. */
export interface Doorkeeper {
  welcome(visitor: Socket): Promise<void>;
  /** The store is free. */
  leave(): void;
}

export interface StoreKeeperDependencies {
  readonly jobs: JobPool;
  /** What every data plane sees of the store's health. */
  readonly degraded: SharedFlag;
  readonly events: EventPublisher;
  readonly logger: Pick<ServerLogger, 'log'>;
  readonly storeDir: string;
  /** null: nobody is let in before the end. */
  readonly doorkeeper: Doorkeeper | null;
}

/** Who holds the store that is to be opened. */
export interface StoreHolder extends LockHolder {
  readonly identity: StoreIdentity;
}

/** What the keeper holds while the store is open. */
interface HeldStore {
  readonly identity: StoreIdentity;
  readonly lock: InstanceLock;
}

export class StoreKeeper {
  readonly health: StoreMonitor;
  private readonly dependencies: StoreKeeperDependencies;
  private held: HeldStore | null = null;
  private lastSpace: StoreSpace | null = null;
  private isLooking = false;
  /** Of the look that is going on: how often another one would have begun. */
  private missedLooks = 0;
  private looks = 0;

  constructor(dependencies: StoreKeeperDependencies) {
    this.dependencies = dependencies;
    const { degraded: flag, events } = dependencies;
    this.health = new StoreMonitor({ flag, events, probe: () => this.probe() });
  }

  /** null: not known, or the store cannot be looked at. */
  get space(): StoreSpace | null {
    return this.lastSpace;
  }

  /** Prepares, locks and recovers the store. Errors: StartError, also when somebody else holds it. */
  async open(): Promise<void> {
    const holder = await this.tryOpen();
    if (holder !== null) throw this.inUse(holder);
  }

  /** The same, but answers who holds the store; null: it is open. Errors: StartError. */
  async tryOpen(): Promise<StoreHolder | null> {
    const { jobs, logger, storeDir } = this.dependencies;
    const startedMs = performance.now();
    try {
      const identity = await jobs.run({ task: 'prepare' });
      const taken = await this.takeLocks(identity);
      if ('holder' in taken) return { identity, ...taken.holder };
      this.held = { identity, lock: taken.lock };
      const { wasClean, removedStagingFiles, removedRecords } = await jobs.run({ task: 'recover' });
      this.lastSpace = await jobs.run({ task: 'watch', identity });
      logger.log('info', 'Store directory is ready', {
        directory: storeDir,
        after_clean_stop: wasClean,
        removed_staging_files: removedStagingFiles,
        removed_records: removedRecords,
        duration_ms: Math.round(performance.now() - startedMs),
      });
      return null;
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      throw new StartError(`StoreDir ${storeDir}: ${error.message}`, { cause: error });
    }
  }

  inUse({ text }: StoreHolder, reason = ''): StartError {
    return new StartError(`StoreDir ${this.dependencies.storeDir} is in use by ${text}${reason}`);
  }

  /** Lets go of the store, while files that are open are read on: writes are refused from now on. */
  async handOver(): Promise<void> {
    this.dependencies.degraded.set(true);
    await this.close();
  }

  /** Called about once a second. A look that takes longer is not joined by another one. */
  async look(): Promise<void> {
    if (this.held === null) return;
    if (this.isLooking) {
      this.missedLooks += 1;
      if (this.missedLooks >= HUNG_LOOKS) this.health.report({ code: 'io', detail: 'a look hangs in the store' });
      return;
    }
    const { jobs } = this.dependencies;
    const { identity } = this.held;
    this.isLooking = true;
    this.missedLooks = 0;
    this.looks += 1;
    try {
      this.lastSpace = await jobs.run({ task: 'watch', identity });
      if (this.looks % LOOKS_PER_REFRESH === 0 && this.held !== null) await jobs.run({ task: 'refresh-lock' });
    } catch (error) {
      this.lastSpace = null;
      if (error instanceof JobError && this.held !== null) this.health.report(error.failure);
    } finally {
      this.isLooking = false;
    }
  }

  /** Ends the use of the store; the lanes have ended. */
  async close(): Promise<void> {
    this.health.stop();
    const { held } = this;
    if (held === null) return;
    this.held = null;
    try {
      const { identity } = held;
      await withinTime(this.dependencies.jobs.run({ task: 'close', identity }), CLOSE_TIMEOUT_MS);
    } catch (error) {
      // The mark stays, and the next start recovers.
      this.dependencies.logger.log('warning', 'The store could not be closed', { error: String(error) });
    }
    held.lock.release();
    this.dependencies.doorkeeper?.leave();
  }

  /** The socket is freed by the kernel on any death; the file is for servers that do not see it. */
  private async takeLocks(identity: StoreIdentity): Promise<{ lock: InstanceLock } | { holder: LockHolder }> {
    const { jobs, doorkeeper } = this.dependencies;
    const lock = await lockStore(identity, (socket) => {
      if (doorkeeper === null) socket.destroy();
      else void doorkeeper.welcome(socket);
    });
    const holder = lock === null ? await jobs.run({ task: 'holder' }) : await jobs.run({ task: 'lock' });
    if (lock !== null && holder === null) return { lock };
    lock?.release();
    return { holder: holder ?? { text: 'another server', pid: null } };
  }

  private async probe(): Promise<void> {
    if (this.held === null) throw new Error('the store is not open');
    await this.dependencies.jobs.run({ task: 'probe', identity: this.held.identity });
  }
}

async function withinTime(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
