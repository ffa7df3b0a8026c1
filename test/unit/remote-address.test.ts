/** Client addresses: IPv4 as it is, mapped IPv4 as IPv4, IPv6 in its canonical form (RFC 5952). */

import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { readableAddress } from '../../src/main/uws/remote-address.ts';

const table: readonly (readonly [text: string, readable: string])[] = [
  ['', ''],
  ['127.0.0.1', '127.0.0.1'],
  ['0000:0000:0000:0000:0000:ffff:7f00:0001', '127.0.0.1'],
  ['0000:0000:0000:0000:0000:ffff:ffff:ffff', '255.255.255.255'],
  ['0000:0000:0000:0000:0000:ffff:0000:0000', '0.0.0.0'],
  ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
  ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
  ['0000:0000:0000:0000:0000:0000:0000:0000', '::'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
  ['2001:0db8:0000:0001:0001:0001:0001:0001', '2001:db8:0:1:1:1:1:1'],
  ['2001:0000:0000:0001:0000:0000:0000:0001', '2001:0:0:1::1'],
  ['0001:0002:0003:0004:0005:0006:0000:0000', '1:2:3:4:5:6::'],
  ['0000:0000:0003:0004:0005:0006:0007:0008', '::3:4:5:6:7:8'],
  ['fe80:0000:0000:0000:0000:0000:0000:abcd', 'fe80::abcd'],
  ['0000:0000:0000:0000:ffff:7f00:0001:0000', '::ffff:7f00:1:0'],
];

for (const [text, readable] of table) {
  test(`${text === '' ? 'the empty text of a unix socket' : text} becomes ${readable === '' ? 'the same' : readable}`, () => {
    assert.equal(readableAddress(text), readable);
  });
}

/** All eight groups in full, as the library writes them. */
function inFull(address: string): string {
  const [head = '', tail] = address.split('::');
  const groupsOf = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const missing = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<string>(missing).fill('0'), ...last].map((group) => group.padStart(4, '0')).join(':');
}

test('any IPv6 address becomes a shorter text for the same address', () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const text = groups.map((value) => value.toString(16).padStart(4, '0')).join(':');
      fc.pre(!text.startsWith('0000:0000:0000:0000:0000:ffff:'));
      const readable = readableAddress(text);
      assert.ok(isIPv6(readable), readable);
      assert.equal(inFull(readable), text);
      assert.doesNotMatch(readable, /(^|:)0[0-9a-f]/);
      // The host's own parser writes the canonical form, except for IPv4 in the last groups.
      const { hostname } = new URL(`http://[${readable}]/`);
      assert.equal(`[${readable}]`, hostname);
    }),
  );
});
