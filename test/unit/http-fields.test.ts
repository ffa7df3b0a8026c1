/** Looking up field lines, and the guard in front of response fields. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import {
  allValues,
  countLines,
  firstValue,
  isAnyRepeated,
  listMembers,
  safeField,
  soleValue,
  trimWhiteSpace,
} from '../../src/main/http/fields.ts';
import { statusLine } from '../../src/main/http/status-line.ts';

const fields: readonly FieldLine[] = [
  { name: 'a', value: '1' },
  { name: 'b', value: '' },
  { name: 'a', value: '2' },
];

test('finds lines by their name', () => {
  assert.equal(firstValue(fields, 'a'), '1');
  assert.equal(firstValue(fields, 'b'), '');
  assert.equal(firstValue(fields, 'c'), null);
  assert.deepEqual(allValues(fields, 'a'), ['1', '2']);
  assert.deepEqual(allValues(fields, 'c'), []);
  assert.equal(countLines(fields, 'a'), 2);
  assert.equal(soleValue(fields, 'b'), '');
  assert.equal(soleValue(fields, 'a'), null);
  assert.equal(soleValue(fields, 'c'), null);
  assert.equal(firstValue(fields, '__proto__'), null);
});

test('splits lists at commas outside of quoted strings (RFC 9110 §5.6.1)', () => {
  const table: readonly (readonly [values: readonly string[], members: readonly string[]])[] = [
    [[], []],
    [[''], []],
    [['a'], ['a']],
    [['a, b ,\tc\t'], ['a', 'b', 'c']],
    [[', ,a,,'], ['a']],
    [
      ['a', 'b,c'],
      ['a', 'b', 'c'],
    ],
    [['a="x,y", b'], ['a="x,y"', 'b']],
    [['"a\\",b", c'], ['"a\\",b"', 'c']],
    [['"open, a'], ['"open, a']],
    [['"open\\'], ['"open\\']],
    [['\u00a0a\u00a0'], ['\u00a0a\u00a0']],
  ];
  for (const [values, members] of table) {
    const lines = values.map((value) => ({ name: 'x', value }));
    assert.deepEqual(listMembers(lines, 'x'), members, JSON.stringify(values));
  }
});

test('removes spaces and tabs only', () => {
  assert.equal(trimWhiteSpace(' \t a b\t '), 'a b');
  assert.equal(trimWhiteSpace('\u2003a\n'), '\u2003a\n');
  assert.equal(trimWhiteSpace(' \t'), '');
});

test('lets no control character and nothing beyond ASCII into a response field (RFC 9110 §5.5)', () => {
  safeField('Content-Type', 'text/plain; charset=utf-8');
  safeField('X-1', '');
  safeField("!#$%&'*+-.^_`|~", '\t ~');
  for (const value of ['a\r\nb', 'a\nb', 'a\rb', 'a\0', '\u007f', '\u00e9', '\u2028', '\ud800', 'a\n']) {
    assert.throws(() => safeField('X', value), TypeError, JSON.stringify(value));
  }
  for (const name of ['', 'a b', 'a:', 'a\r\n', '\u00e9', 'a\n', '(a)']) {
    assert.throws(() => safeField(name, 'x'), TypeError, JSON.stringify(name));
  }
});

test('what passes the guard is printable ASCII, and the error repeats nothing of what does not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const isSafe = Array.from(value, (character) => character.codePointAt(0) ?? 0).every(
        (code) => code === 9 || (code >= 32 && code <= 126),
      );
      if (isSafe) safeField('X', value);
      else assert.throws(() => safeField('X', value), { message: 'Unsafe value of response field X' });
    }),
  );
});

test('status lines come from a table, and an unknown status is a bug', () => {
  assert.equal(statusLine(200), '200 OK');
  assert.equal(statusLine(201), '201 Created');
  assert.equal(statusLine(308), '308 Permanent Redirect');
  assert.equal(statusLine(460), '460 Checksum Mismatch');
  assert.equal(statusLine(507), '507 Insufficient Storage');
  for (const status of [0, 99, 299, 1000, Number.NaN, 200.5]) assert.throws(() => statusLine(status), RangeError);
});

test('reads grown lists in linear time', () => {
  for (const unit of [',', ' ', '"', '\\', 'a,', '"a",', '" ,']) {
    const started = performance.now();
    listMembers([{ name: 'x', value: unit.repeat(500_000) }], 'x');
    assert.ok(performance.now() - started < 2000, unit);
  }
});

test('a field that stands twice is found among those that may not, equal or not', () => {
  const names = new Set(['upload-offset', 'upload-length']);
  const line = (name: string, value: string): FieldLine => ({ name, value });
  const once = [line('upload-offset', '0'), line('upload-length', '0'), line('accept', 'a'), line('accept', 'b')];
  assert.equal(isAnyRepeated(once, names), false);
  assert.equal(isAnyRepeated([...once, line('upload-length', '0')], names), true);
  assert.equal(isAnyRepeated([], names), false);
});
