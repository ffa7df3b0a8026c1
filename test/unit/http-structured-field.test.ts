/** Structured fields as this server reads them (RFC 9651). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBooleanItem, parseIntegerItem, parseMembers } from '../../src/main/http/structured-field.ts';

/** A76: as many as a run has time for. */
const RUNS = 100_000;

test('a Boolean is ?0 or ?1, with or without parameters; everything else is ignored (RFC 9651 §4.2)', () => {
  const table: readonly (readonly [value: string | null, expected: boolean | null])[] = [
    ['?1', true],
    ['?0', false],
    ['?0;x=1', false],
    ['?1; x; y="z"', true],
    [' ?1 ', true],
    [null, null],
    ['', null],
    ['true', null],
    ['1', null],
    ['?2', null],
    ['?T', null],
    ['?', null],
    ['?1,?1', null],
    ['"?1"', null],
    ['?1x', null],
  ];
  for (const [value, expected] of table) assert.equal(parseBooleanItem(value), expected, `${value}`);
});

test('an Integer has up to 15 digits and no point; everything else is ignored (RFC 9651 §3.3.1)', () => {
  const table: readonly (readonly [value: string | null, expected: number | null])[] = [
    ['0', 0],
    ['0;y', 0],
    ['-0', 0],
    ['42', 42],
    ['-7', -7],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', null],
    [null, null],
    ['', null],
    ['1.5', null],
    ['1.0', null],
    ['1.', null],
    ['+1', null],
    ['"0"', null],
    ['?0', null],
    ['abc', null],
    ['0x0', null],
    ['1e3', null],
    ['1 2', null],
    ['0, 0', null],
  ];
  for (const [value, expected] of table) assert.equal(parseIntegerItem(value), expected, `${value}`);
});

test('a Dictionary may be spread over lines; the last of two equal keys counts (RFC 9651 §4.2.2)', () => {
  const members = parseMembers(['a=1, b=:AQI=:;x', '', 'c;y=2, a=2, d=(1 2), e="text"']);
  assert.deepEqual(
    [...(members ?? [])].map(([key, value]) => [key, value instanceof Uint8Array ? [...value] : value]),
    [
      ['a', 2],
      ['b', [1, 2]],
      ['c', null],
      ['d', null],
      ['e', null],
    ],
  );
  for (const values of [['a=1,'], ['a=:%:'], ['A=1'], ['a=1;'], ['a=:AQ'], ['=1'], ['a b']]) {
    assert.equal(parseMembers(values), null, values.join());
  }
});

test('A76 no value makes the parsers throw, and what they return is of its type', () => {
  const pieces = fc.constantFrom(
    '?1',
    '?0',
    '-',
    '0',
    '9',
    '.',
    ';',
    '=',
    ',',
    ':',
    '"',
    '\\',
    '(',
    ')',
    ' ',
    'a',
    '*',
    '%',
    '@',
    'é',
    '\0',
  );
  const value = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(value, (text) => {
      const integer = parseIntegerItem(text);
      assert.ok(integer === null || Number.isSafeInteger(integer));
      assert.ok(['boolean', 'object'].includes(typeof parseBooleanItem(text)));
      for (const member of (parseMembers([text]) ?? new Map()).values()) {
        assert.ok(member === null || Number.isInteger(member) || member instanceof Uint8Array);
      }
    }),
    { numRuns: RUNS },
  );
});

test('A76 grown values take linear time', () => {
  for (const unit of ['0', '?1;', 'a=1,', ':', 'a=:', '"', '\\"', '(', ' ', ';a', 'a=(1 ', '%"%']) {
    const text = unit.repeat(200_000);
    const started = performance.now();
    parseBooleanItem(text);
    parseIntegerItem(text);
    parseMembers([text]);
    assert.ok(performance.now() - started < 3000, unit);
  }
});
