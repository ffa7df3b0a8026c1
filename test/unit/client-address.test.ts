/** Whose request it is behind proxies: only trusted peers are believed, and nobody further than the last trusted one. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientAddress, forwardedAddress, TrustedProxies } from '../../src/main/http/client-address.ts';

const proxies = new TrustedProxies({
  ranges: [
    { family: 'ipv4', address: '127.0.0.1', prefix: 32 },
    { family: 'ipv4', address: '10.1.2.3', prefix: 8 },
    { family: 'ipv6', address: 'fd00::', prefix: 8 },
  ],
  hasUnixSocket: true,
});

interface Row {
  readonly title: string;
  readonly peer: string;
  readonly announced?: string;
  readonly forwarded?: readonly string[];
  readonly client: string;
}

const rows: readonly Row[] = [
  { title: 'a stranger is the client', peer: '192.0.2.9', client: '192.0.2.9' },
  {
    title: 'a stranger is not believed',
    peer: '192.0.2.9',
    announced: '198.51.100.1',
    forwarded: ['203.0.113.1'],
    client: '192.0.2.9',
  },
  { title: 'a proxy that names nobody is the client', peer: '127.0.0.1', client: '127.0.0.1' },
  { title: 'a proxy is believed', peer: '127.0.0.1', forwarded: ['203.0.113.1'], client: '203.0.113.1' },
  {
    title: 'a network is trusted by its prefix',
    peer: '10.255.0.1',
    forwarded: ['203.0.113.1'],
    client: '203.0.113.1',
  },
  { title: 'so is one of IPv6', peer: 'fdab::1', forwarded: ['2001:db8::7'], client: '2001:db8::7' },
  { title: 'so is the unix socket', peer: '', forwarded: ['203.0.113.1'], client: '203.0.113.1' },
  {
    title: 'what the client wrote stands on the left, and counts for nothing',
    peer: '127.0.0.1',
    forwarded: ['203.0.113.66, 203.0.113.1'],
    client: '203.0.113.1',
  },
  {
    title: 'lines are one list, and trusted proxies in it are passed over',
    peer: '127.0.0.1',
    forwarded: ['203.0.113.66', '203.0.113.1, 10.0.0.7', ' 10.0.0.8 '],
    client: '203.0.113.1',
  },
  {
    title: 'only trusted proxies: the leftmost one is the client',
    peer: '127.0.0.1',
    forwarded: ['10.0.0.7, 10.0.0.8'],
    client: '10.0.0.7',
  },
  {
    title: 'behind something that is no address nobody is believed',
    peer: '127.0.0.1',
    forwarded: ['203.0.113.1, unknown, 10.0.0.8'],
    client: '10.0.0.8',
  },
  { title: 'the head of the PROXY protocol', peer: '127.0.0.1', announced: '203.0.113.5', client: '203.0.113.5' },
  {
    title: 'a client cannot speak through a PROXY head',
    peer: '127.0.0.1',
    announced: '203.0.113.5',
    forwarded: ['198.51.100.1'],
    client: '203.0.113.5',
  },
  {
    title: 'a trusted proxy behind a PROXY head can',
    peer: '127.0.0.1',
    announced: '10.0.0.7',
    forwarded: ['198.51.100.1'],
    client: '198.51.100.1',
  },
];

describe('clientAddress', () => {
  for (const { title, peer, announced = '', forwarded = [], client } of rows) {
    test(title, () => {
      const fields = forwarded.map((value) => ({ name: 'x-forwarded-for', value }));
      assert.equal(clientAddress({ address: peer, announced }, fields, proxies), client);
    });
  }

  test('never says what a stranger wrote, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const fields = [{ name: 'x-forwarded-for', value }];
        assert.equal(clientAddress({ address: '192.0.2.9', announced: value }, fields, proxies), '192.0.2.9');
      }),
    );
  });

  test('trusts nobody when nobody is configured', () => {
    const nobody = new TrustedProxies({ ranges: [], hasUnixSocket: false });
    assert.ok(nobody.isEmpty && !nobody.includes('') && !nobody.includes('127.0.0.1') && !nobody.includes('::1'));
  });
});

describe('forwardedAddress', () => {
  const members: readonly (readonly [member: string, address: string | null])[] = [
    ['203.0.113.1', '203.0.113.1'],
    ['203.0.113.1:4711', '203.0.113.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:203.0.113.1', '203.0.113.1'],
    ['fe80::1%eth0', null],
    ['unknown', null],
    ['_hidden', null],
    ['203.0.113.01', null],
    ['203.0.113.1 ', null],
    ['[203.0.113.1]', '203.0.113.1'],
    ['203.0.113.1:', null],
    ['1.2.3.4\r\nX: y', null],
    ['', null],
  ];
  for (const [member, address] of members) {
    test(`${JSON.stringify(member)} is ${address ?? 'no address'}`, () => {
      assert.equal(forwardedAddress(member), address);
    });
  }

  test('takes any text, and gives nothing but addresses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (member) => {
        const address = forwardedAddress(member);
        if (address !== null) assert.match(address, /^[0-9a-f.:]+$/);
      }),
    );
  });
});
