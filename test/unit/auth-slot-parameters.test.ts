/** The query of slot URLs: undecoded, case-sensitive, split at `&` only. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decidingMac, parseSlotQuery, type SlotParameters } from '../../src/main/auth/slot-parameters.ts';

const absent: SlotParameters = { v: null, v2: null, v3: null, token: null, expires: null, s: null };

const queries: readonly (readonly [query: string | null, found: Partial<SlotParameters>])[] = [
  [null, {}],
  ['', {}],
  ['v=a', { v: 'a' }],
  ['v=a&v2=b&v3=c&token=d&expires=1&s=2', { v: 'a', v2: 'b', v3: 'c', token: 'd', expires: '1', s: '2' }],
  ['x&v=a', { v: 'a' }],
  ['v=a&x=b&&', { v: 'a' }],
  ['&&v=a', { v: 'a' }],
  ['v', {}],
  ['v=', {}],
  ['v=a=b', { v: 'a=b' }],
  ['v=a?b', { v: 'a?b' }],
  ['?v=a', {}],
  ['V=a', {}],
  ['%76=a', {}],
  ['v[]=a', {}],
  ['v%00=a', {}],
  [' v=a', {}],
  ['v =a', {}],
  [';v=a', {}],
  ['v=a;v2=b', { v: 'a;v2=b' }],
  ['v=%41+b', { v: '%41+b' }],
  ['expiress=1&expire=2', {}],
  ['tokens=1&vv=2&ss=3', {}],
  ['__proto__=1&constructor=2&toString=3', {}],
  ['x=v=a', {}],
];

test('finds the known names and nothing else', () => {
  for (const [query, found] of queries) {
    assert.deepEqual(parseSlotQuery(query), { kind: 'parameters', parameters: { ...absent, ...found } }, `${query}`);
  }
});

test('a known name twice is refused, equal or not, empty or not', () => {
  for (const query of ['v=a&v=a', 'v=a&v=b', 'v=a&v=', 'v&v', 'v=&x&v', 's=1&v=2&s=1', 'expires=1&expires=1']) {
    assert.deepEqual(parseSlotQuery(query), { kind: 'repeated' }, query);
  }
});

test('unknown names may be repeated', () => {
  assert.equal(parseSlotQuery('x=1&x=2&v=a').kind, 'parameters');
});

test('the highest version present decides alone: v3, v2, token, v', () => {
  const all = { ...absent, v: '1', v2: '2', v3: '3', token: '4' };
  assert.deepEqual(decidingMac(all), { scheme: 'v3', value: '3' });
  assert.deepEqual(decidingMac({ ...all, v3: null }), { scheme: 'v2', value: '2' });
  assert.deepEqual(decidingMac({ ...all, v3: null, v2: null }), { scheme: 'token', value: '4' });
  assert.deepEqual(decidingMac({ ...absent, v: '1', expires: '9', s: '9' }), { scheme: 'v', value: '1' });
  assert.equal(decidingMac({ ...absent, expires: '9', s: '9' }), null);
});

const name = fc.constantFrom('v', 'v2', 'v3', 'token', 'expires', 's', 'V', 'x', '', 'tokenx', 'toString');
const value = fc.string({ unit: 'binary', maxLength: 6 }).map((text) => text.replaceAll('&', ''));

test('agrees with a plain reading of the query', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (items) => {
      const result = parseSlotQuery(items.map(([key, text]) => `${key}=${text}`).join('&'));
      const known = items.filter(([key]) => Object.hasOwn(absent, key));
      const isRepeated = new Set(known.map(([key]) => key)).size < known.length;
      const parameters = { ...absent, ...Object.fromEntries(known.map(([key, text]) => [key, text || null])) };
      assert.deepEqual(result, isRepeated ? { kind: 'repeated' } : { kind: 'parameters', parameters });
    }),
  );
});

test('never throws, and reads grown queries in linear time', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (query) => void parseSlotQuery(query)));
  for (const unit of ['&', '=', 'v', 'x&', 'x=1&', '=&', '?']) {
    const started = performance.now();
    parseSlotQuery(unit.repeat(1_000_000 / unit.length));
    assert.ok(performance.now() - started < 2000, unit);
  }
});
