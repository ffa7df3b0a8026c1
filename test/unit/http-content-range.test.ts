/** Content-Range of requests (RFC 9110 §14.4). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PartialContent, parseContentRange } from '../../src/main/http/content-range.ts';

const RUNS = 100_000;

function part(first: number, last: number, total: number): PartialContent {
  return { kind: 'part', range: { first, last }, total };
}

test('P-13 only complete, consistent values in bytes mean anything', () => {
  const table: readonly (readonly [value: string, expected: PartialContent])[] = [
    ['bytes 0-999/1000', part(0, 999, 1000)],
    ['bytes 300-999/1000', part(300, 999, 1000)],
    ['Bytes 0-0/1', part(0, 0, 1)],
    ['bytes 007-9/010', part(7, 9, 10)],
    ['bytes */1000', { kind: 'query', total: 1000 }],
    ['bytes */0', { kind: 'query', total: 0 }],
  ];
  for (const [value, expected] of table) assert.deepEqual(parseContentRange(value), expected, value);
  const malformed = [
    '',
    'bytes',
    'bytes ',
    'bytes 300-298/299',
    'bytes 0-99/50',
    'bytes 0-9',
    'bytes 0-9/*',
    'bytes -5/10',
    'bytes 0-/10',
    'bytes 0-9/abc',
    'bytes 0-9/0x10',
    'bytes 0--1/0',
    'bytes +0-9/10',
    'bytes 0-9/10 ',
    'bytes  0-9/10',
    'bytes=0-9/10',
    'items 0-9/10',
    'bytes */*',
    'bytes */-1',
    'bytes 0-9/10, bytes 0-9/10',
    'bytes 0-9007199254740992/9007199254740993',
    'bytes 0-9/99999999999999999999',
  ];
  for (const value of malformed) assert.deepEqual(parseContentRange(value), { kind: 'malformed' }, value);
});

test('A76 a part always lies inside its whole, and nothing throws', () => {
  const pieces = fc.constantFrom('bytes', ' ', '-', '/', '*', '0', '1', '9', '18446744073709551616', '=', ',', 'x');
  const value = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
    fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)).map(([first, last, total]) => `bytes ${first}-${last}/${total}`),
  );
  fc.assert(
    fc.property(value, (text) => {
      const content = parseContentRange(text);
      if (content.kind !== 'part') return;
      const { range, total } = content;
      assert.ok(0 <= range.first && range.first <= range.last && range.last < total && Number.isSafeInteger(total));
    }),
    { numRuns: RUNS },
  );
});

test('A76 grown values take linear time', () => {
  for (const unit of ['0', 'bytes ', '-', '/', '0-', ' ']) {
    const started = performance.now();
    parseContentRange(`bytes ${unit.repeat(500_000)}`);
    assert.ok(performance.now() - started < 2000, unit);
  }
});
