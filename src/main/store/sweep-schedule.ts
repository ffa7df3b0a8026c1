/**
 * When the store is swept: at the start and then at most every ten minutes, in short portions with pauses between them,
 * so that neither clients nor other jobs notice. Once in a process. A wall clock that jumped stops it: what is late by a
 * wrong clock must not be removed.
 */

import type { EventPublisher } from '../../shared/events.ts';
import type { SteadyClock } from '../../shared/steady-clock.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { SweepTotals } from '../../shared/sweep-report.ts';
import { JobError, type JobPool } from '../lanes/job-pool.ts';
import type { StoreHealth } from './store-health.ts';

const INTERVAL_MS = 600_000;
/** A store that takes long to walk is walked less often: a tenth of the time at most. */
const INTERVAL_PER_DURATION = 10;
const PORTION_MS = 5;
/** So much longer than a portion is the pause after it: a quarter of one thread is used at most. */
const PAUSE_PER_PORTION = 3;

export interface SweepDependencies {
  readonly jobs: Pick<JobPool, 'run'>;
  readonly clock: SteadyClock;
  readonly health: StoreHealth;
  /** What else is to be put in order before each pass. Never rejects. */
  readonly tidy: () => Promise<void>;
  readonly events: EventPublisher;
}

export class SweepSchedule {
  private readonly dependencies: SweepDependencies;
  /** Of the last complete pass. */
  private knownFiles: number | null = null;
  private isHeld = false;
  private isSweeping = false;
  private isStopped = false;
  private isDueAgain = false;
  private passes = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(dependencies: SweepDependencies) {
    this.dependencies = dependencies;
  }

  /** Nothing is removed, because the wall clock has jumped. */
  get isSuspended(): boolean {
    return this.isHeld;
  }

  /** Begins a pass now; another one follows the pass that is going on. */
  sweepNow(): void {
    if (this.isStopped) return;
    if (this.isSweeping) this.isDueAgain = true;
    else void this.sweep();
  }

  stop(): void {
    this.isStopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Never rejects. */
  private async sweep(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    const startedMs = performance.now();
    this.isSweeping = true;
    this.isDueAgain = false;
    try {
      if (!this.mayNot()) await this.pass(startedMs);
    } catch (error) {
      // The end of the jobs' thread is the end of the server, and says so itself.
      if (error instanceof JobError) this.failed(error.failure);
    }
    this.isSweeping = false;
    if (!this.isStopped) this.scheduleNext(performance.now() - startedMs);
  }

  private async pass(startedMs: number): Promise<void> {
    const { jobs, events, tidy } = this.dependencies;
    await tidy();
    this.passes += 1;
    const { knownFiles } = this;
    const order = { task: 'sweep', pass: this.passes, knownFiles, budgetMs: PORTION_MS } as const;
    for (;;) {
      const portionMs = performance.now();
      const { isDone, isComplete, expired, expiredUploads, totals } = await jobs.run(order);
      for (const file of expired) events.publish({ type: 'file.expired', ...file });
      for (const upload of expiredUploads) events.publish({ type: 'upload.expired', ...upload });
      if (isDone) {
        if (isComplete) this.completed(totals, performance.now() - startedMs);
        else this.isDueAgain = true;
        return;
      }
      await pause(PAUSE_PER_PORTION * (performance.now() - portionMs));
      if (this.mayNot()) return;
    }
  }

  /** Says why a pass was given up. Only a broken disk says something about uploads. */
  private failed({ code, detail }: StorageFailure): void {
    const { events, health } = this.dependencies;
    events.publish({ type: 'server.failed', code, message: `expiry pass: ${detail}`, isFatal: false });
    if (code === 'io') health.report({ code, detail });
  }

  private completed(totals: SweepTotals, durationMs: number): void {
    this.knownFiles = totals.files - totals.removedFiles;
    this.dependencies.events.publish({ type: 'expiry.completed', durationMs, ...totals });
  }

  /** True when nothing may be removed: at the end, while the store is degraded, or while the clock is wrong. */
  private mayNot(): boolean {
    const { clock, health, events } = this.dependencies;
    const jumpMs = clock.jumpMs();
    const isSuspended = jumpMs !== null;
    if (isSuspended !== this.isHeld) {
      this.isHeld = isSuspended;
      events.publish({ type: 'expiry.suspended', jumpMs: jumpMs ?? 0, recovered: !isSuspended });
    }
    return this.isStopped || isSuspended || health.isDegraded;
  }

  private scheduleNext(durationMs: number): void {
    const waitMs = this.isDueAgain ? 0 : Math.max(INTERVAL_MS, durationMs * INTERVAL_PER_DURATION);
    this.timer = setTimeout(() => void this.sweep(), waitMs);
    this.timer.unref();
  }
}

/** Never holds up the end of the process. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
