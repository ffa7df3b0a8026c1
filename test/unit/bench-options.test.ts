/** The command line of the load generator. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BenchOptions, parseBenchOptions } from '../../bench/bench-options.ts';
import { suitableThreads } from '../../bench/session.ts';

function parse(line: string, environment: Record<string, string> = {}): BenchOptions {
  const options = parseBenchOptions(line.split(' '), environment);
  assert.ok(typeof options === 'object');
  return options;
}

test('without a scenario, or when asked, the answer is help', () => {
  assert.equal(parseBenchOptions([], {}), 'help');
  assert.equal(parseBenchOptions(['--target', 'nginx'], {}), 'help');
  assert.equal(parseBenchOptions(['put', '-h'], {}), 'help');
  assert.equal(parseBenchOptions(['--list'], {}), 'list');
});

test('presets can be listed one after the other, and a written scenario stands alone', () => {
  assert.equal(parse('put-64k get-16k').scenarios.length, 2);
  const [scenario] = parse('put size=1KiB + get rate=5 --duration 2s').scenarios;
  assert.deepEqual(
    scenario?.loads.map(({ operation, durationMs }) => [operation, durationMs]),
    [
      ['put', 2000],
      ['get', 2000],
    ],
  );
});

test('--vs makes at least five pairs of the target and the other one', () => {
  const options = parse('put-64k --vs nginx --min-ratio 0.95');
  assert.deepEqual(
    [options.targets, options.repeat, options.isComparison, options.minRatio],
    [['server', 'nginx'], 5, true, 0.95],
  );
  assert.deepEqual(parse('put-64k --baseline main').targets, []);
});

test('the secret may come from the environment, and the command line wins', () => {
  assert.equal(parse('put', { BENCH_SECRET: 'e' }).target.secret, 'e');
  assert.equal(parse('put --secret c', { BENCH_SECRET: 'e' }).target.secret, 'c');
});

test('no run may hold more than 10 GB, whatever is asked for', () => {
  assert.equal(parse('put --max-data 50GB').maxHeldBytes, 10e9);
  assert.equal(parse('put --max-data 1GB').maxHeldBytes, 1e9);
});

test('what contradicts itself is refused with the reason', () => {
  const cases: [string, RegExp][] = [
    ['put --frobnicate', /frobnicate/],
    ['put --vs nginx --pairs 4', /--pairs must be between 5/],
    ['put --min-ratio 0.9', /--min-ratio needs --vs or --baseline/],
    ['put --target sink --target nginx --vs sink', /exactly one --target/],
    ['put --target nginx --vs nginx', /two different targets/],
    ['put --baseline main --target nginx', /brings its own two targets/],
    ['put --metric speed --vs nginx', /--metric is one of throughput/],
    ['put --sign v9', /--sign is one of/],
    ['put --durability maybe', /--durability is one of/],
    ['no-such-preset', /unknown load/],
  ];
  for (const [line, message] of cases) assert.throws(() => parseBenchOptions(line.split(' '), {}), message, line);
});

test('load threads take half of the cores, and never outnumber the connections', () => {
  const [scenario] = parse('put connections=3').scenarios;
  const load = scenario?.loads[0];
  assert.ok(load !== undefined);
  assert.deepEqual(
    [
      suitableThreads(null, 1, load),
      suitableThreads(null, 4, load),
      suitableThreads(null, 64, load),
      suitableThreads(5, 2, load),
    ],
    [1, 2, 3, 3],
  );
});
