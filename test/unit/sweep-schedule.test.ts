/** When the store is swept, and when it is not. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { JobError, type JobPool } from '../../src/main/lanes/job-pool.ts';
import { SweepSchedule } from '../../src/main/store/sweep-schedule.ts';
import type { ServerEvent } from '../../src/shared/events.ts';
import { type ClockStart, SteadyClock } from '../../src/shared/steady-clock.ts';
import type { StorageFailure } from '../../src/shared/storage-error.ts';
import type { SweepPortion, SweepTotals } from '../../src/shared/sweep-report.ts';
import type { SweepJob } from '../../src/shared/worker-jobs.ts';

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
const totals: SweepTotals = {
  isAnnouncing: false,
  files: 40,
  bytes: 400,
  expiredFiles: 2,
  expiredBytes: 20,
  removedFiles: 2,
  removedBytes: 20,
  prunedFolders: 0,
  leftovers: 0,
  tombstones: 0,
  passedOver: 0,
};
const portion = (isDone: boolean, isComplete = isDone): SweepPortion => ({
  isDone,
  isComplete,
  expired: [],
  expiredUploads: [],
  totals,
});

let events: EventDispatcher;
let told: ServerEvent[];
let orders: SweepJob[];
let answer: (order: SweepJob) => SweepPortion;
let reported: StorageFailure[];
let isDegraded: boolean;
let aheadMs: number;
let tidied: number;
let schedule: SweepSchedule;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  events = new EventDispatcher();
  const heard: ServerEvent[] = [];
  told = heard;
  events.on('*', (event) => void heard.push(event));
  orders = [];
  answer = () => portion(true);
  reported = [];
  isDegraded = false;
  aheadMs = 0;
  tidied = 0;
  const start: ClockStart = { wallMs: 1_000_000, monotonicMs: 0 };
  const run = (job: SweepJob): Promise<SweepPortion> => {
    orders.push(job);
    return Promise.resolve().then(() => answer(job));
  };
  schedule = new SweepSchedule({
    jobs: { run } as unknown as JobPool,
    clock: new SteadyClock(start, () => ({ ...start, wallMs: start.wallMs + aheadMs })),
    health: {
      get isDegraded() {
        return isDegraded;
      },
      report: (failure) => void reported.push(failure),
    },
    events,
    tidy: async () => {
      tidied += 1;
    },
  });
});

afterEach(async () => {
  schedule.stop();
  await events.drain(1_000);
  mock.timers.reset();
});

/** Lets what is due happen, and so much time pass. */
async function pass(ms: number): Promise<void> {
  await settle();
  mock.timers.tick(ms);
  await settle();
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(0);
  }
}

const passes = (): number => new Set(orders.map((order) => order.pass)).size;

test('a pass begins at once, and the next one ten minutes later', async () => {
  schedule.sweepNow();
  await pass(10 * MINUTE_MS - 1);
  assert.equal(passes(), 1);
  await pass(1);
  assert.equal(passes(), 2);
  assert.equal(tidied, 2, 'versions are tidied first');
  assert.deepEqual(
    orders.map(({ knownFiles }) => knownFiles),
    [null, 38],
    'the second pass knows how many files there are',
  );
  await events.drain(1_000);
  assert.equal(told.filter(({ type }) => type === 'expiry.completed').length, 2);
});

test('a pass goes on in portions of a few milliseconds', async () => {
  let left = 5;
  answer = () => {
    left -= 1;
    return portion(left === 0);
  };
  schedule.sweepNow();
  for (let turn = 0; turn < 10; turn += 1) await pass(100);
  assert.equal(orders.length, 5);
  assert.equal(passes(), 1);
  assert.ok(orders.every(({ budgetMs }) => budgetMs <= 20));
});

test('files that expired are told one by one', async () => {
  answer = () => ({ ...portion(true), expired: [{ fileId: '0123456789ab', sizeBytes: 7 }] });
  schedule.sweepNow();
  await settle();
  await events.drain(1_000);
  const [expired] = told;
  assert.ok(expired?.type === 'file.expired');
  assert.deepEqual([expired.fileId, expired.sizeBytes], ['0123456789ab', 7]);
});

test('a pass that is asked for while one runs follows it at once, and so does one that FileTTL has ended', async () => {
  schedule.sweepNow();
  schedule.sweepNow();
  await pass(1);
  assert.equal(passes(), 2);
  answer = ({ pass: number }) => portion(true, number > 3);
  schedule.sweepNow();
  await pass(1);
  await pass(1);
  assert.equal(passes(), 4);
});

test('F79 after a jump of the clock no pass begins, and one that runs ends', async () => {
  answer = () => portion(false);
  schedule.sweepNow();
  await settle();
  const before = orders.length;
  assert.ok(before > 0);
  aheadMs = 10 * YEAR_MS;
  await pass(10_000);
  assert.equal(schedule.isSuspended, true);
  const stopped = orders.length;
  await pass(30 * MINUTE_MS);
  assert.equal(orders.length, stopped);
  aheadMs = 0;
  await pass(10 * MINUTE_MS);
  assert.equal(schedule.isSuspended, false);
  assert.ok(orders.length > stopped);
  await events.drain(1_000);
  const suspended = told.filter((event) => event.type === 'expiry.suspended');
  assert.deepEqual(
    suspended.map(({ jumpMs, recovered }) => [jumpMs, recovered]),
    [
      [10 * YEAR_MS, false],
      [0, true],
    ],
  );
});

test('a degraded store is not swept', async () => {
  isDegraded = true;
  schedule.sweepNow();
  await pass(1);
  assert.equal(orders.length, 0);
  isDegraded = false;
  await pass(10 * MINUTE_MS);
  assert.equal(passes(), 1);
});

test('a pass that fails is reported, and tried again in ten minutes', async () => {
  const failure: StorageFailure = { code: 'io', detail: 'EIO unlink expired' };
  answer = () => {
    throw new JobError(failure);
  };
  schedule.sweepNow();
  await settle();
  assert.deepEqual(reported, [failure]);
  await events.drain(1_000);
  assert.equal(told.filter(({ type }) => type === 'server.failed').length, 1);
  answer = () => portion(true);
  await pass(10 * MINUTE_MS);
  assert.equal(passes(), 2);
});

test('F68 nothing begins after the stop', async () => {
  schedule.sweepNow();
  schedule.stop();
  await pass(60 * MINUTE_MS);
  schedule.sweepNow();
  await pass(60 * MINUTE_MS);
  assert.ok(orders.length <= 1);
});
