/** What the harness concludes: schedules that hide no stall, who was the limit, ratios of alternating pairs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLimit, type Shares } from '../../bench/limit.ts';
import { ClosedSchedule, OpenSchedule } from '../../bench/load/schedule.ts';
import { seededRandom } from '../../bench/random.ts';
import { parseScenario } from '../../bench/scenario-grammar.ts';
import { median } from '../../bench/statistics.ts';
import { compare } from '../../bench/versus.ts';
import { sampleRun } from '../support/bench-sample.ts';

test('in an open loop latency counts from the time at which a request was due, however late it is taken', () => {
  const schedule = new OpenSchedule({ firstMs: 100, intervalMs: 10, random: null });
  assert.equal(schedule.take(99), null);
  assert.equal(schedule.take(100), 100);
  assert.equal(schedule.take(105), null);
  assert.deepEqual([schedule.take(500), schedule.take(500), schedule.take(500)], [110, 120, 130]);
});

test('requests that were due before the end are still sent, later ones are not, and the rest can be counted', () => {
  const schedule = new OpenSchedule({ firstMs: 0, intervalMs: 10, random: null });
  schedule.end(35);
  assert.deepEqual([schedule.take(1000), schedule.take(1000)], [0, 10]);
  assert.equal(schedule.countWaiting(), 2);
  assert.ok(schedule.isOver);
});

test('Poisson arrivals keep the rate and vary in distance', () => {
  const schedule = new OpenSchedule({ firstMs: 0, intervalMs: 10, random: seededRandom(3) });
  const times = Array.from({ length: 5000 }, () => schedule.take(1e9) ?? 0);
  assert.ok(Math.abs((times.at(-1) ?? 0) / 5000 - 10) < 0.5);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.ok(gaps.some((gap) => gap < 1) && gaps.some((gap) => gap > 40));
});

test('a closed loop is always due until its end', () => {
  const schedule = new ClosedSchedule();
  schedule.end(50);
  assert.equal(schedule.take(49), 49);
  assert.equal(schedule.take(50), null);
  assert.ok(schedule.isOver);
});

test('a run is marked when the generator, the machine or the server was the limit', () => {
  const calm: Shares = {
    cores: 2,
    busyCores: 1,
    generatorCores: 0.4,
    generatorBusiestThread: 0.4,
    serverCores: 0.6,
    serverBusiestThread: 0.6,
    latenessP99Ms: 0,
    latencyP99Ms: 1,
  };
  const cases: [string, Partial<Shares>, ReturnType<typeof findLimit>][] = [
    ['nobody is saturated', {}, 'none'],
    ['a load thread is saturated, the server is not', { generatorBusiestThread: 0.95 }, 'generator'],
    [
      'the server is not known',
      { generatorBusiestThread: 0.95, serverCores: null, serverBusiestThread: null },
      'generator',
    ],
    ['a server thread is saturated', { serverBusiestThread: 0.97 }, 'server'],
    ['both are, the generator more', { generatorBusiestThread: 0.99, serverBusiestThread: 0.93 }, 'generator'],
    ['all cores are busy, the server has most', { busyCores: 1.95, serverCores: 1.2, generatorCores: 0.7 }, 'machine'],
    [
      'all cores are busy, the generator has most',
      { busyCores: 1.95, serverCores: 0.7, generatorCores: 1.2 },
      'generator',
    ],
    ['all cores are busy with others', { busyCores: 1.98, serverCores: 0.4, generatorCores: 0.3 }, 'others'],
    ['an open loop is late by what it measures', { latenessP99Ms: 5, latencyP99Ms: 6 }, 'generator'],
    ['an open loop is late by little', { latenessP99Ms: 5, latencyP99Ms: 60 }, 'none'],
  ];
  for (const [title, changes, limit] of cases) assert.equal(findLimit({ ...calm, ...changes }), limit, title);
});

test('the median of an even number of values lies between the middle two', () => {
  assert.equal(median([5, 1, 9]), 5);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('two targets are compared by the ratio of medians, with the spread of the pairs', () => {
  const scenario = parseScenario('put', 1000);
  const runs = [100, 90, 110, 120, 80].flatMap((first, pair) => [
    sampleRun({ target: 'a', scenario: scenario.name, bytesPerSecond: first }),
    sampleRun({ target: 'b', scenario: scenario.name, bytesPerSecond: pair === 4 ? 400 : 50 }),
  ]);
  const [comparison] = compare({ scenario, folder: 'f', targets: ['a', 'b'], runs, metric: null, minRatio: 1.5 });
  assert.ok(comparison !== undefined);
  const { metric, ratio, lowest, highest, isEnough } = comparison;
  assert.deepEqual(
    { metric, ratio, lowest, highest, isEnough },
    {
      metric: 'throughput',
      ratio: 2,
      lowest: 0.2,
      highest: 2.4,
      isEnough: true,
    },
  );
});

test('where less is better the ratio is turned round, and too low a ratio is not enough', () => {
  const scenario = parseScenario('get rate=10', 1000);
  const runs = [
    sampleRun({ target: 'a', scenario: scenario.name, p99Ms: 4 }),
    sampleRun({ target: 'b', scenario: scenario.name, p99Ms: 2 }),
  ];
  const [comparison] = compare({ scenario, folder: 'f', targets: ['a', 'b'], runs, metric: null, minRatio: 0.97 });
  assert.deepEqual([comparison?.metric, comparison?.ratio, comparison?.isEnough], ['p99', 0.5, false]);
});

test('a load whose pace is its own is not compared', () => {
  const scenario = parseScenario('put speed=1KiB', 1000);
  assert.deepEqual(compare({ scenario, folder: 'f', targets: ['a', 'b'], runs: [], metric: null, minRatio: null }), []);
});
