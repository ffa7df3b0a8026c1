/** Sweeps of a real store, as the jobs' thread makes them. */

import { existsSync, renameSync, statSync, utimesSync } from 'node:fs';
import { ExpiryRule } from '../../src/shared/expiry-rule.ts';
import { SteadyClock } from '../../src/shared/steady-clock.ts';
import type { SweepPortion, SweepTotals } from '../../src/shared/sweep-report.ts';
import type { WorkerSettings } from '../../src/shared/worker-jobs.ts';
import { recordName } from '../../src/workers/storage/record.ts';
import { hashOf, locate, recordFolders } from '../../src/workers/storage/store-layout.ts';
import { SweepJobs } from '../../src/workers/sweep-jobs.ts';
import { keyOf, type StoreFixture } from './store-fixture.ts';

export const HOUR_SECONDS = 3_600;
export const DAY_SECONDS = 86_400;

/** Longer than any pass of a test. */
const WHOLE_PASS_MS = 60_000;

export class SweepFixture {
  readonly rule: ExpiryRule;
  private readonly store: StoreFixture;
  private readonly jobs: SweepJobs;
  private passes = 0;

  /** `settings`: other ones than the store was made with. */
  constructor(store: StoreFixture, settings: WorkerSettings = store.settings) {
    const { expiry, clockStart } = settings;
    this.store = store;
    this.rule = new ExpiryRule(expiry, new SteadyClock(clockStart));
    this.jobs = new SweepJobs(settings);
  }

  /** One whole pass. */
  pass(knownFiles: number | null = null): Pick<SweepPortion, 'totals' | 'expired' | 'expiredUploads'> {
    this.passes += 1;
    const order = { task: 'sweep', pass: this.passes, knownFiles, budgetMs: WHOLE_PASS_MS } as const;
    const { totals, expired, expiredUploads } = this.jobs.advance(order);
    return { totals: { ...totals }, expired, expiredUploads };
  }

  /** The pass that says what a new FileTTL will remove, and the FileTTL itself. */
  announce(fileTtlSeconds: number): SweepTotals {
    this.rule.fileTtlSeconds = fileTtlSeconds;
    return this.pass().totals;
  }

  /** Goes on with a pass in portions of a time. */
  portion(pass: number, budgetMs: number): ReturnType<SweepJobs['advance']> {
    this.passes = Math.max(this.passes, pass);
    return this.jobs.advance({ task: 'sweep', pass, knownFiles: null, budgetMs });
  }

  /** Makes a stored file look as if it had been stored so long ago, with its record if it has one. */
  age(key: string, seconds: number): void {
    const hash = hashOf(keyOf(key));
    const { folders, name } = locate(keyOf(key), hash);
    const path = this.store.pathOf(...folders, name);
    const recordPath = (): string => {
      const { mtimeNs, size } = statSync(path, { bigint: true });
      return this.store.pathOf(...recordFolders(hash), recordName(mtimeNs, size));
    };
    const record = recordPath();
    const thenSeconds = Date.now() / 1000 - seconds;
    utimesSync(path, thenSeconds, thenSeconds);
    if (existsSync(record)) renameSync(record, recordPath());
  }
}
