/** The latency histogram of the load generator against exact quantiles. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../../bench/histogram.ts';

/** The value of rank ⌈q·n⌉, as the histogram defines a quantile. */
function exactQuantile(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1] ?? Number.NaN;
}

const timesMs = fc.array(fc.double({ min: 0, max: 4e6, noNaN: true }), { minLength: 1, maxLength: 200 });
const quantiles = fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999, 1);

test('any quantile is right within a microsecond or a thousandth of its value', () => {
  fc.assert(
    fc.property(timesMs, quantiles, (values, quantile) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const exact = exactQuantile(values, quantile);
      assert.ok(Math.abs(histogram.quantileMs(quantile) - exact) <= Math.max(0.001, exact / 1000));
    }),
  );
});

test('histograms of several threads add up to the histogram of all values', () => {
  fc.assert(
    fc.property(timesMs, timesMs, quantiles, (left, right, quantile) => {
      const merged = new Histogram();
      const whole = new Histogram();
      for (const values of [left, right]) {
        const part = new Histogram();
        for (const value of values) {
          part.record(value);
          whole.record(value);
        }
        merged.add(part.take());
        assert.equal(part.total, 0);
      }
      assert.equal(merged.total, whole.total);
      assert.equal(merged.quantileMs(quantile), whole.quantileMs(quantile));
      assert.equal(merged.maxMs, whole.maxMs);
      assert.ok(Math.abs(merged.meanMs - whole.meanMs) < 1e-6 * Math.max(1, whole.meanMs));
    }),
  );
});

test('an empty histogram has zero everywhere and no distribution', () => {
  const histogram = new Histogram();
  assert.deepEqual([histogram.total, histogram.maxMs, histogram.meanMs, histogram.quantileMs(0.99)], [0, 0, 0, 0]);
  assert.deepEqual(histogram.distribution(), []);
});

test('the distribution rises from the shortest value to the exact maximum', () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 1000; value += 1) histogram.record(value);
  const points = histogram.distribution();
  assert.deepEqual(points.at(-1), { quantile: 1, ms: 1000 });
  for (const [index, point] of points.entries()) {
    const previous = points[index - 1] ?? { quantile: -1, ms: 0 };
    assert.ok(point.quantile > previous.quantile && point.ms >= previous.ms);
  }
});

test('a value beyond the range counts as the largest that can be told', () => {
  const histogram = new Histogram();
  histogram.record(1e12);
  assert.equal(histogram.total, 1);
  assert.ok(histogram.maxMs > 4e6);
});
