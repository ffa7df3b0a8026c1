/** Sizes and durations of the harness as people write them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatDecimal,
  formatMs,
  formatSize,
  parseBytes,
  parseDurationMs,
  parseInteger,
  QuantityError,
} from '../../bench/quantity.ts';

test('sizes are read in binary and decimal units', () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['100', 100],
    ['100B', 100],
    ['64KiB', 65_536],
    ['64k', 65_536],
    ['64kb', 64_000],
    ['1.5MiB', 1_572_864],
    ['2GiB', 2_147_483_648],
    ['9GB', 9_000_000_000],
  ];
  for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text);
});

test('durations are read in milliseconds, seconds and minutes; a bare number is seconds', () => {
  const cases: [string, number][] = [
    ['250ms', 250],
    ['5s', 5000],
    ['5', 5000],
    ['0.5', 500],
    ['2m', 120_000],
  ];
  for (const [text, milliseconds] of cases) assert.equal(parseDurationMs(text), milliseconds, text);
});

test('what is no amount is refused by name', () => {
  for (const text of ['', 'x', '-1', '1e3', '5 5', '64TiB', '5h', '1.2.3', '.5']) {
    assert.throws(() => parseBytes(text), QuantityError, text);
    assert.throws(() => parseDurationMs(text), QuantityError, text);
  }
  assert.throws(() => parseInteger('1.5', 'threads', 1, 8), /threads must be a whole number/);
  assert.throws(() => parseInteger('9', 'threads', 1, 8), /threads must be between 1 and 8/);
});

test('figures have three significant digits and a unit', () => {
  assert.equal(formatDecimal(1_424_000_000, 'B/s'), '1.42 GB/s');
  assert.equal(formatDecimal(999_900, '/s'), '1.00 M/s');
  assert.equal(formatDecimal(17.26, '/s'), '17.3 /s');
  assert.equal(formatDecimal(0, 'B'), '0 B');
  assert.equal(formatSize(65_536), '64 KiB');
  assert.equal(formatSize(1_610_612_736), '1.5 GiB');
  assert.equal(formatSize(100), '100 B');
  assert.deepEqual([0, 0.0123, 1.5, 15.04, 999.6, 12_340].map(formatMs), [
    '–',
    '12.3 µs',
    '1.50 ms',
    '15.0 ms',
    '1.00 s',
    '12.3 s',
  ]);
});
