/** Conditional requests: order, comparison, and what is ignored (RFC 9110 §13). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listsEntityTag } from '../../src/main/http/entity-tag.ts';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import { formatHttpDate } from '../../src/main/http/http-date.ts';
import {
  evaluatePreconditions,
  ifRangeMatches,
  type PreconditionOutcome,
  type Validators,
} from '../../src/main/http/preconditions.ts';

const nowMs = Date.UTC(2030, 0, 1);
const current: Validators = { etag: '"a,b-1"', lastModifiedMs: nowMs - 3_600_000 + 789 };
const same = formatHttpDate(current.lastModifiedMs);
const older = formatHttpDate(current.lastModifiedMs - 1000);
const newer = formatHttpDate(current.lastModifiedMs + 1000);

type Lines = readonly (readonly [name: string, value: string])[];

function fieldsOf(lines: Lines): readonly FieldLine[] {
  return lines.map(([name, value]): FieldLine => ({ name, value }));
}

function evaluate(lines: Lines, method = 'GET', validators: Validators | null = current): PreconditionOutcome {
  return evaluatePreconditions(fieldsOf(lines), method, validators, nowMs);
}

const outcomes: readonly (readonly [lines: Lines, outcome: PreconditionOutcome])[] = [
  [[], 'proceed'],
  [[['if-none-match', '"a,b-1"']], 'not-modified'],
  [[['if-none-match', 'W/"a,b-1"']], 'not-modified'],
  [[['if-none-match', '*']], 'not-modified'],
  [[['if-none-match', '"x", ,W/"y" ,\t"a,b-1"']], 'not-modified'],
  [
    [
      ['if-none-match', '"x"'],
      ['if-none-match', '"a,b-1"'],
    ],
    'not-modified',
  ],
  [[['if-none-match', '"x"']], 'proceed'],
  [[['if-none-match', '']], 'proceed'],
  [[['if-none-match', 'a,b-1']], 'proceed'],
  [[['if-none-match', '"a,b-1']], 'proceed'],
  [[['if-none-match', 'w/"a,b-1"']], 'proceed'],
  [
    [
      ['if-none-match', '"x"'],
      ['if-modified-since', same],
    ],
    'proceed',
  ],
  [
    [
      ['if-none-match', '"a,b-1"'],
      ['range', 'bytes=0-0'],
    ],
    'not-modified',
  ],
  [[['if-modified-since', same]], 'not-modified'],
  [[['if-modified-since', newer]], 'not-modified'],
  [[['if-modified-since', older]], 'proceed'],
  [[['if-modified-since', 'garbage']], 'proceed'],
  [[['if-modified-since', '']], 'proceed'],
  [
    [
      ['if-modified-since', same],
      ['if-modified-since', same],
    ],
    'proceed',
  ],
  [[['if-match', '"a,b-1"']], 'proceed'],
  [[['if-match', '*']], 'proceed'],
  [[['if-match', '"x","a,b-1"']], 'proceed'],
  [[['if-match', '"x"']], 'precondition-failed'],
  [[['if-match', 'W/"a,b-1"']], 'precondition-failed'],
  [[['if-match', '']], 'precondition-failed'],
  [
    [
      ['if-match', '"a,b-1"'],
      ['if-unmodified-since', older],
    ],
    'proceed',
  ],
  [
    [
      ['if-match', '"a,b-1"'],
      ['if-none-match', '"a,b-1"'],
    ],
    'not-modified',
  ],
  [
    [
      ['if-match', '"x"'],
      ['if-none-match', '"a,b-1"'],
    ],
    'precondition-failed',
  ],
  [[['if-unmodified-since', same]], 'proceed'],
  [[['if-unmodified-since', newer]], 'proceed'],
  [[['if-unmodified-since', older]], 'precondition-failed'],
  [[['if-unmodified-since', 'garbage']], 'proceed'],
  [
    [
      ['if-unmodified-since', same],
      ['if-modified-since', same],
    ],
    'not-modified',
  ],
];

test('evaluates conditions in the order of RFC 9110 §13.2.2', () => {
  for (const [lines, outcome] of outcomes) assert.equal(evaluate(lines), outcome, JSON.stringify(lines));
  for (const [lines, outcome] of outcomes) assert.equal(evaluate(lines, 'HEAD'), outcome, JSON.stringify(lines));
});

test('other methods get 412 instead of 304, and ignore If-Modified-Since (RFC 9110 §13.1.2, §13.1.3)', () => {
  assert.equal(evaluate([['if-none-match', '*']], 'PUT'), 'precondition-failed');
  assert.equal(evaluate([['if-none-match', '"x"']], 'PUT'), 'proceed');
  assert.equal(evaluate([['if-modified-since', same]], 'PUT'), 'proceed');
  assert.equal(evaluate([['if-match', '"x"']], 'DELETE'), 'precondition-failed');
});

test('without a representation If-Match fails and everything else goes on', () => {
  assert.equal(evaluate([['if-match', '*']], 'PUT', null), 'precondition-failed');
  assert.equal(evaluate([['if-none-match', '*']], 'PUT', null), 'proceed');
  assert.equal(evaluate([['if-unmodified-since', older]], 'PUT', null), 'proceed');
  assert.equal(evaluate([['if-modified-since', newer]], 'GET', null), 'proceed');
});

test('If-Range takes the exact strong tag or the exact strong date (RFC 9110 §13.1.5)', () => {
  const matches = (value: string, validators = current): boolean =>
    ifRangeMatches(fieldsOf([['if-range', value]]), validators, nowMs);
  assert.ok(ifRangeMatches([], current, nowMs));
  assert.ok(matches('"a,b-1"'));
  assert.ok(matches(same));
  for (const value of ['"x"', 'W/"a,b-1"', '*', '', 'a,b-1', '"a,b-1", "x"', older, newer, 'garbage']) {
    assert.ok(!matches(value), value);
  }
  assert.ok(!matches('W/"w"', { ...current, etag: 'W/"w"' }));
  const twice = fieldsOf([
    ['if-range', '"a,b-1"'],
    ['if-range', '"a,b-1"'],
  ]);
  assert.ok(!ifRangeMatches(twice, current, nowMs));
});

test('a date less than 60 s old is no strong validator (RFC 9110 §8.8.2.2)', () => {
  const matchesAtAge = (ageMs: number): boolean => {
    const lastModifiedMs = nowMs - ageMs;
    const fields = fieldsOf([['if-range', formatHttpDate(lastModifiedMs)]]);
    return ifRangeMatches(fields, { etag: '"x"', lastModifiedMs }, nowMs);
  };
  assert.ok(matchesAtAge(60_000));
  assert.ok(!matchesAtAge(59_000));
  assert.ok(!matchesAtAge(0));
  assert.ok(!matchesAtAge(-60_000));
});

test('finds a tag in every list that a plain reading finds it in', () => {
  const tag = fc
    .tuple(fc.constantFrom('', 'W/'), fc.constantFrom('', 'a', 'b', 'a,b', ',', 'W/', 'ab'))
    .map(([weakness, text]) => `${weakness}"${text}"`);
  const separator = fc.constantFrom(',', ', ', ' ,\t', ',,');
  fc.assert(
    fc.property(fc.array(fc.tuple(tag, separator)), tag, (items, wanted) => {
      const list = items.flat().join('');
      const tags = items.map(([text]) => text);
      const isStrong = !wanted.startsWith('W/');
      assert.equal(listsEntityTag(list, wanted, 'strong'), isStrong && tags.includes(wanted));
      const opaque = wanted.replace(/^W\//, '');
      assert.equal(listsEntityTag(list, wanted, 'weak'), tags.includes(opaque) || tags.includes(`W/${opaque}`));
    }),
  );
});

test('A56 10,000 tags and grown garbage are read in linear time', () => {
  const list = Array.from({ length: 10_000 }, (_, index) => `W/"${index}"`).join(', ');
  assert.ok(listsEntityTag(`${list}, "z"`, '"z"', 'strong'));
  for (const unit of ['"', ',', 'W/', 'W/"', '"a",', '" ', 'W/"",']) {
    const started = performance.now();
    listsEntityTag(unit.repeat(500_000), '"z"', 'weak');
    assert.ok(performance.now() - started < 2000, unit);
  }
});
