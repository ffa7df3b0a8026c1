/** Counting clients in memory of a fixed size: never too few, and each thread's share can be forgotten. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientNetwork } from '../../src/main/http/client-address.ts';
import { AddressCounts } from '../../src/shared/address-counts.ts';

test('a client is counted over all threads, and apart from others', () => {
  const shared = AddressCounts.allocate(3);
  const [first, second] = [new AddressCounts(shared, 0), new AddressCounts(shared, 2)];
  assert.equal(first.addAndSum('192.0.2.1', 1), 1);
  assert.equal(second.addAndSum('192.0.2.1', 1), 2);
  assert.equal(second.addAndSum('192.0.2.2', 1), 1);
  assert.equal(first.addAndSum('192.0.2.1', -1), 1);
});

test('what a thread has counted can be forgotten, and nothing else', () => {
  const shared = AddressCounts.allocate(2);
  const [first, second] = [new AddressCounts(shared, 0), new AddressCounts(shared, 1)];
  first.addAndSum('192.0.2.1', 5);
  second.addAndSum('192.0.2.1', 1);
  first.clear();
  assert.equal(second.addAndSum('192.0.2.1', 1), 2);
});

test('a number is never too small, whoever else is counted', () => {
  const client = fc.integer({ min: 0, max: 20_000 }).map((value) => `10.0.${value >> 8}.${value & 255}`);
  fc.assert(
    fc.property(fc.array(client, { maxLength: 500 }), (clients) => {
      const counts = new AddressCounts(AddressCounts.allocate(1), 0);
      const exact = new Map<string, number>();
      for (const name of clients) {
        exact.set(name, (exact.get(name) ?? 0) + 1);
        assert.ok(counts.addAndSum(name, 1) >= (exact.get(name) ?? 0));
      }
    }),
    { numRuns: 30 },
  );
});

test('with a thousand busy clients all but a few have their own number', () => {
  const counts = new AddressCounts(AddressCounts.allocate(1), 0);
  const clients = Array.from({ length: 1_000 }, (_, index) => `198.51.${index >> 8}.${index & 255}`);
  for (const client of clients) counts.addAndSum(client, 3);
  const wrong = clients.filter((client) => counts.addAndSum(client, 0) !== 3);
  // Expected are ten; a hash that does not spread would give hundreds.
  assert.ok(wrong.length < 50, `${wrong.length} of 1000`);
});

const networks: readonly (readonly [address: string, network: string | null])[] = [
  ['', null],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::', '2001:db8:1:2'],
  ['2001:db8::7', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['1::2:3:4:5:6:7', '1:0:2:3'],
  ['::', '0:0:0:0'],
];
for (const [address, network] of networks) {
  test(`${address === '' ? 'a unix socket' : address} counts as ${network ?? 'nobody'}`, () => {
    assert.equal(clientNetwork(address), network);
  });
}
