/** Numbers in fields: decimal digits, never rounded. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Decimal, parseDecimal } from '../../src/main/http/decimal.ts';

const texts: readonly (readonly [text: string, value: Decimal])[] = [
  ['0', 0],
  ['00', 0],
  ['7', 7],
  ['0000000000000000007', 7],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740992', 'excessive'],
  ['9007199254740993', 'excessive'],
  ['9999999999999999999', 'excessive'],
  ['10000000000000000000', 'malformed'],
  ['00000000000000000000', 'malformed'],
  ['9'.repeat(40), 'malformed'],
];

test('reads up to 19 decimal digits and tells what a number cannot hold', () => {
  for (const [text, value] of texts) assert.equal(parseDecimal(text), value, text);
});

test('everything else is malformed', () => {
  for (const text of ['', '-1', '+5', 'abc', '1e3', '0x10', '1.0', '0, 0', ' 1', '1 ', '1\n', '٣', '１', '-0', 'NaN']) {
    assert.equal(parseDecimal(text), 'malformed', JSON.stringify(text));
  }
});

test('what is read is what was written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }), (value) => {
      const read = parseDecimal(value.toString());
      assert.equal(read, value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : 'excessive');
    }),
  );
});
