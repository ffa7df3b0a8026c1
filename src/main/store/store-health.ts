/**
 * Whether the store takes writes. An input/output error degrades it: writes are refused and reads go on, until a probe
 * on a new file has succeeded several times in a row. A failed sync is never tried again.
 */

import type { EventPublisher } from '../../shared/events.ts';
import type { SharedFlag } from '../../shared/shared-flag.ts';
import type { StorageErrorCode, StorageFailure } from '../../shared/storage-error.ts';

const PROBE_INTERVAL_MS = 5_000;
const PROBES_TO_RECOVER = 3;

const degrading: ReadonlySet<StorageErrorCode> = new Set(['io', 'store-unavailable']);

/** What uploads see of the store's health. */
export interface StoreHealth {
  readonly isDegraded: boolean;
  /** Tells of a failed job; most failures say nothing about the store as a whole. */
  report(failure: StorageFailure): void;
}

/** Decides, once in a process; every data plane sees the flag. */
export class StoreMonitor implements StoreHealth {
  private readonly flag: SharedFlag;
  private readonly events: EventPublisher;
  private readonly probe: () => Promise<unknown>;
  private failure: StorageFailure | null = null;
  private successes = 0;
  private isProbing = false;
  private timer: NodeJS.Timeout | null = null;

  /** `probe` rejects while the store does not take a new file. */
  constructor(dependencies: { flag: SharedFlag; events: EventPublisher; probe: () => Promise<unknown> }) {
    this.flag = dependencies.flag;
    this.events = dependencies.events;
    this.probe = dependencies.probe;
  }

  get isDegraded(): boolean {
    return this.flag.isSet;
  }

  report(failure: StorageFailure): void {
    if (!degrading.has(failure.code)) return;
    this.successes = 0;
    if (this.failure !== null) return;
    this.failure = failure;
    this.flag.set(true);
    this.events.publish({ type: 'storage.degraded', code: failure.detail, recovered: false });
    this.timer = setInterval(() => void this.check(), PROBE_INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** One probe at a time: on a disk that hangs they would pile up. */
  private async check(): Promise<void> {
    if (this.isProbing) return;
    this.isProbing = true;
    try {
      await this.probe();
      this.successes += 1;
    } catch {
      // Still broken: the event that says so is out already.
      this.successes = 0;
    } finally {
      this.isProbing = false;
    }
    if (this.successes >= PROBES_TO_RECOVER) this.recover();
  }

  private recover(): void {
    if (this.failure === null) return;
    const { detail } = this.failure;
    this.failure = null;
    this.flag.set(false);
    this.stop();
    this.events.publish({ type: 'storage.degraded', code: detail, recovered: true });
  }
}

/** The same on a thread that does not decide: sees the flag, and passes on what the monitor should hear of. */
export class StoreHealthReporter implements StoreHealth {
  private readonly flag: SharedFlag;
  private readonly send: (failure: StorageFailure) => void;

  constructor(dependencies: { flag: SharedFlag; send: (failure: StorageFailure) => void }) {
    this.flag = dependencies.flag;
    this.send = dependencies.send;
  }

  get isDegraded(): boolean {
    return this.flag.isSet;
  }

  report(failure: StorageFailure): void {
    if (degrading.has(failure.code)) this.send(failure);
  }
}
