/** HTTP-date in its three forms (RFC 9110 §5.6.7). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '../../src/main/http/http-date.ts';

const nowMs = Date.UTC(2025, 5, 1);
const example = Date.UTC(1994, 10, 6, 8, 49, 37);

test('reads the three forms of the example in RFC 9110 §5.6.7', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', nowMs), example);
  assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', nowMs), example);
  assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994', nowMs), example);
});

test('reads leap days, leap seconds and two-digit days', () => {
  assert.equal(parseHttpDate('Thu, 29 Feb 2024 00:00:00 GMT', nowMs), Date.UTC(2024, 1, 29));
  assert.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', nowMs), Date.UTC(2017, 0, 1));
  assert.equal(parseHttpDate('Wed Nov 16 08:49:37 1994', nowMs), Date.UTC(1994, 10, 16, 8, 49, 37));
});

test('two-digit years more than 50 years ahead are in the past', () => {
  const yearOf = (digits: string): number =>
    new Date(parseHttpDate(`Monday, 01-Jan-${digits} 00:00:00 GMT`, nowMs) ?? Number.NaN).getUTCFullYear();
  assert.deepEqual(['25', '75', '76', '99', '00'].map(yearOf), [2025, 2075, 1976, 1999, 2000]);
});

test('ignores everything else', () => {
  const texts = [
    '',
    'garbage',
    '0',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT\n',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Mon, 01 Jan 0050 00:00:00 GMT',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    'x'.repeat(1_000_000),
  ];
  for (const text of texts) assert.equal(parseHttpDate(text, nowMs), null, text.slice(0, 50));
});

test('reads back what it writes, in whole seconds', () => {
  const latest = Date.UTC(9999, 11, 31);
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1000, 0, 1), max: latest }), (ms) => {
      assert.equal(parseHttpDate(formatHttpDate(ms), nowMs), Math.floor(ms / 1000) * 1000);
    }),
  );
  assert.equal(formatHttpDate(example + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
});
