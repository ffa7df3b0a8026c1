/** Scenarios of the load generator: their grammar, their bounds, the sizes that they draw. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findPreset, PRESET_SETS, PRESETS } from '../../bench/presets.ts';
import { seededRandom } from '../../bench/random.ts';
import { drawSize, type Load, meanSize } from '../../bench/scenario.ts';
import { parseScenario } from '../../bench/scenario-grammar.ts';

function onlyLoad(text: string): Load {
  return parseScenario(text, 5000).loads[0];
}

test('a written scenario becomes a load with every setting in its unit', () => {
  const load = onlyLoad('get size=64MiB range=64KiB files=8 conns=32 rate=500 arrivals=poisson duration=3s timeout=2s');
  assert.deepEqual(load, {
    name: 'GET 64 MiB, range 64 KiB, 32 conns, 500/s',
    operation: 'get',
    sizes: [{ minBytes: 67_108_864, maxBytes: 67_108_864, weight: 1 }],
    rangeBytes: 65_536,
    pieceBytes: 1_048_576,
    files: 8,
    connections: 32,
    ratePerSecond: 500,
    arrivals: 'poisson',
    durationMs: 3000,
    maxRequests: null,
    bytesPerSecond: null,
    isChurning: false,
    timeoutMs: 2000,
  });
});

test('loads joined by + run together, and one bound is enough for all of them', () => {
  const { loads } = parseScenario('put size=1GiB connections=8 requests=8 + get rate=50 name=probe', 5000);
  assert.deepEqual(
    loads.map(({ name, operation, maxRequests, durationMs }) => [name, operation, maxRequests, durationMs]),
    [
      ['PUT 1 GiB, 8 conns', 'put', 8, 600_000],
      ['probe', 'get', null, 600_000],
    ],
  );
});

test('mixed divides connections and rate between reads and writes', () => {
  const { loads } = parseScenario('mixed reads=80% connections=10 rate=100 size=4KiB', 5000);
  assert.deepEqual(
    loads.map(({ operation, connections, ratePerSecond }) => [operation, connections, Math.round(ratePerSecond ?? 0)]),
    [
      ['put', 2, 20],
      ['get', 8, 80],
    ],
  );
});

test('what makes no sense is refused, and the message names it', () => {
  const cases: [string, RegExp][] = [
    ['', /unknown load ""/],
    ['post size=1', /unknown load "post"/],
    ['put colour=red', /unknown setting "colour"/],
    ['put size', /"size" needs a value/],
    ['put size=1 size=2', /stands twice/],
    ['put range=1KiB', /"range" means nothing for put/],
    ['head range=1KiB', /"range" means nothing for head/],
    ['put size=20GB', /more than a run may hold/],
    ['get size=1GiB files=20', /more than the 10 GB/],
    ['get size=1KiB range=2KiB', /larger than the smallest file/],
    ['put size=2KiB..1KiB', /begins above its end/],
    ['put duration=11m', /duration must be between/],
    ['put connections=0', /connections must be between/],
    ['put connections=1.5', /whole number/],
    ['put speed=0', /"speed" must be at least 1/],
    ['get arrivals=bursts', /even or poisson/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseScenario(text, 5000), message, text);
});

test('every preset and every set of presets can be read and stays within the bounds', () => {
  for (const name of [...Object.keys(PRESETS), ...Object.keys(PRESET_SETS)]) {
    const scenarios = findPreset(name, 5000) ?? [];
    assert.ok(scenarios.length > 0, name);
    for (const { loads } of scenarios) assert.ok(loads.every(({ durationMs }) => durationMs <= 600_000));
  }
  assert.equal(findPreset('no-such-preset', 5000), null);
});

test('drawn sizes stay within their bounds and come near the planned mean', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e6 }), fc.integer(), (a, b, seed) => {
      const sizes: Load['sizes'] = [{ minBytes: Math.min(a, b), maxBytes: Math.max(a, b), weight: 1 }];
      const size = drawSize(sizes, seededRandom(seed));
      assert.ok(Number.isInteger(size) && size >= Math.min(a, b) && size <= Math.max(a, b));
    }),
  );
  const { sizes } = onlyLoad('put size=1KiB..1MiB:3,4MiB:1');
  const random = seededRandom(1);
  let sum = 0;
  for (let count = 0; count < 20_000; count += 1) sum += drawSize(sizes, random);
  assert.ok(Math.abs(sum / 20_000 / meanSize(sizes) - 1) < 0.05);
});

test('the same seed gives the same numbers, another seed others', () => {
  const take = (seed: number): number[] => Array.from({ length: 5 }, seededRandom(seed));
  assert.deepEqual(take(7), take(7));
  assert.notDeepEqual(take(7), take(8));
});
