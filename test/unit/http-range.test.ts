/** Range requests: which bytes are selected, what is ignored, and the frame around several parts (RFC 9110 §14). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameRanges } from '../../src/main/http/byteranges.ts';
import {
  contentRange,
  firstRangeOffset,
  type RangeSelection,
  rangeLength,
  selectRange,
  unsatisfiedRange,
} from '../../src/main/http/range.ts';

const whole: RangeSelection = { kind: 'whole' };
const unsatisfiable: RangeSelection = { kind: 'unsatisfiable' };

function single(first: number, last: number): RangeSelection {
  return { kind: 'single', range: { first, last } };
}

const selections: readonly (readonly [value: string | null, selection: RangeSelection])[] = [
  [null, whole],
  ['bytes=0-0', single(0, 0)],
  ['bytes=100-199', single(100, 199)],
  ['bytes=0-', single(0, 999)],
  ['bytes=500-', single(500, 999)],
  ['bytes=999-', single(999, 999)],
  ['bytes=-1', single(999, 999)],
  ['bytes=-500', single(500, 999)],
  ['bytes=-1000', single(0, 999)],
  ['bytes=-1001', single(0, 999)],
  ['bytes=990-5000', single(990, 999)],
  ['bytes=00100-00199', single(100, 199)],
  ['BYTES=1-2', single(1, 2)],
  ['bytes=, 1-2 ,,', single(1, 2)],
  ['bytes=\t1-2', single(1, 2)],
  ['bytes=1000-', unsatisfiable],
  ['bytes=1000-2000', unsatisfiable],
  ['bytes=-0', unsatisfiable],
  ['bytes=-0,5000-', unsatisfiable],
  ['bytes=0-0,2000-', single(0, 0)],
  ['bytes=-0,7-8', single(7, 8)],
];

test('selects single ranges in a file of 1000 bytes (RFC 9110 §14.1.2)', () => {
  for (const [value, selection] of selections) assert.deepEqual(selectRange(value, 1000), selection, `${value}`);
});

test('ignores syntax errors and unknown units (RFC 9110 §14.2)', () => {
  const sets = ['5-2', '6-5', 'abc', '', '1', ' -5-', '0-5-9', '0-5;', '+0-5', '0x0-5', '1.0-2', '-', ',', '0-5,x'];
  for (const set of sets) assert.deepEqual(selectRange(`bytes=${set}`, 1000), whole, set);
  const values = ['bytes 0-5', 'bytes', 'bytes:0-5', 'items=0-5', 'bytes =0-5', ' bytes=0-5', '0-5', 'bytes=--5', ''];
  for (const value of [...values, 'bytes=0-5, bytes=7-8', 'bytes=0 -5', 'bytes=٠-٥', 'bytes=0-5\u00a0']) {
    assert.deepEqual(selectRange(value, 1000), whole, value);
  }
});

test('numbers around 2^53 and 2^64 do not wrap', () => {
  for (const number of ['9007199254740993', '18446744073709551615', '18446744073709551616', '9'.repeat(400)]) {
    assert.deepEqual(selectRange(`bytes=${number}-`, 1000), unsatisfiable, number);
    assert.deepEqual(selectRange(`bytes=0-${number}`, 1000), single(0, 999), number);
    assert.deepEqual(selectRange(`bytes=-${number}`, 1000), single(0, 999), number);
    assert.deepEqual(selectRange(`bytes=${number}-5`, 1000), whole, number);
  }
});

test('an empty file has no satisfiable position, and a suffix of it is all of it', () => {
  assert.deepEqual(selectRange('bytes=0-', 0), unsatisfiable);
  assert.deepEqual(selectRange('bytes=0-0', 0), unsatisfiable);
  assert.deepEqual(selectRange('bytes=-5', 0), whole);
  assert.deepEqual(selectRange('bytes=-0', 0), unsatisfiable);
  assert.deepEqual(selectRange(null, 0), whole);
});

test('several ranges keep their order, overlap included', () => {
  assert.deepEqual(selectRange('bytes=5-9, 0-2,-1', 1000), {
    kind: 'multiple',
    ranges: [
      { first: 5, last: 9 },
      { first: 0, last: 2 },
      { first: 999, last: 999 },
    ],
  });
  assert.equal(selectRange('bytes=0-9,0-9', 1000).kind, 'multiple');
});

test('A55 more than 8 ranges, or more bytes than the file has, are no ranges at all', () => {
  const ranges = (count: number): string => `bytes=${Array(count).fill('0-0').join(',')}`;
  assert.equal(selectRange(ranges(8), 1000).kind, 'multiple');
  assert.deepEqual(selectRange(ranges(9), 1000), whole);
  assert.deepEqual(selectRange(ranges(1000), 1000), whole);
  assert.deepEqual(selectRange('bytes=0-,0-', 1000), whole);
  assert.equal(selectRange('bytes=0-499,500-', 1000).kind, 'multiple');
  assert.deepEqual(selectRange('bytes=0-499,499-', 1000), whole);
  assert.deepEqual(selectRange('bytes=0-0,-1', 1), whole);
});

const position = fc.oneof(fc.nat(1200).map(String), fc.constantFrom('', '0', '999', '1000', '9'.repeat(25)));
const spec = fc.tuple(position, fc.constantFrom('-', '-', '-', '', '--'), position).map((parts) => parts.join(''));

test('every selected range lies inside the file, and together they are no longer than it', () => {
  const value = fc.array(spec, { maxLength: 10 }).map((specs) => `bytes=${specs.join(',')}`);
  fc.assert(
    fc.property(fc.oneof(value, fc.string()), fc.constantFrom(0, 1, 500, 1000), (text, size) => {
      const selection = selectRange(text, size);
      const ranges = selection.kind === 'multiple' ? selection.ranges : [];
      const all = selection.kind === 'single' ? [selection.range] : ranges;
      for (const { first, last } of all) assert.ok(0 <= first && first <= last && last < size);
      assert.ok(all.reduce((sum, range) => sum + rangeLength(range), 0) <= size);
      assert.ok(selection.kind !== 'multiple' || (ranges.length > 1 && ranges.length <= 8));
    }),
    { numRuns: 2000 },
  );
});

test('guesses where the first range begins before the size is known', () => {
  const table: readonly (readonly [value: string | null, offset: number])[] = [
    [null, 0],
    ['bytes=0-', 0],
    ['bytes=123-', 123],
    ['BYTES= 5-9,0-1', 5],
    ['bytes=-5', 0],
    ['items=5-', 0],
    ['bytes=999999999999999-', 999_999_999_999_999],
    ['bytes=9999999999999999-', 0],
    ['bytes=', 0],
  ];
  for (const [value, offset] of table) assert.equal(firstRangeOffset(value), offset, `${value}`);
});

test('the guess is right for every single range that names its first byte', () => {
  fc.assert(
    fc.property(fc.nat(999), (first) => {
      const value = `bytes=${first}-`;
      assert.deepEqual(selectRange(value, 1000), single(firstRangeOffset(value), 999));
    }),
  );
});

test('writes Content-Range for 206 and for 416 (RFC 9110 §14.4)', () => {
  assert.equal(contentRange({ first: 0, last: 499 }, 1234), 'bytes 0-499/1234');
  assert.equal(unsatisfiedRange(1234), 'bytes */1234');
});

test('frames several ranges and announces their exact length (RFC 9110 §14.6)', () => {
  const content = 'abcdefghij';
  const selection = selectRange('bytes=0-1,4-6,-1', content.length);
  assert.ok(selection.kind === 'multiple');
  const body = frameRanges('B0', 'text/plain', selection.ranges, content.length);
  const text = body.parts.map(({ head, range }) => head + content.slice(range.first, range.last + 1)).join('');
  const part = (range: string, bytes: string): string =>
    `--B0\r\nContent-Type: text/plain\r\nContent-Range: bytes ${range}/10\r\n\r\n${bytes}\r\n`;
  assert.equal(text + body.tail, `${part('0-1', 'ab')}${part('4-6', 'efg')}${part('9-9', 'j')}--B0--\r\n`);
  assert.equal(body.length, (text + body.tail).length);
  assert.equal(body.contentType, 'multipart/byteranges; boundary=B0');
});

test('reads grown values in linear time', () => {
  for (const unit of [',', ' ', '\t,', '0', '0-', '-', '0-0,', '5-2,', '1000-,']) {
    const started = performance.now();
    selectRange(`bytes=${unit.repeat(500_000)}`, 1000);
    firstRangeOffset(`bytes=${unit.repeat(500_000)}`);
    assert.ok(performance.now() - started < 2000, unit);
  }
});
