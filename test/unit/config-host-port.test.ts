/** The forms of ListenPort and MetricsPort. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatHostPort, isWildcard, mayCollide, parseHostPort } from '../../src/main/config/host-port.ts';

const acceptedTexts: readonly (readonly [string, string, number])[] = [
  [':8080', '::', 8080],
  ['8080', 'bare', 8080],
  ['127.0.0.1:8080', '127.0.0.1', 8080],
  ['[::1]:8080', '::1', 8080],
  ['[::]:9090', '::', 9090],
  ['localhost:8080', 'localhost', 8080],
  ['files.example.org:1', 'files.example.org', 1],
  ['0.0.0.0:65535', '0.0.0.0', 65_535],
  [':0', '::', 0],
  ['0', 'bare', 0],
  ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
];

const refusedTexts: readonly (readonly [string, RegExp])[] = [
  ['', /is empty/],
  [':http', /has the port "http"; write its number/],
  ['localhost:', /no port after the colon/],
  ['localhost', /has no port; write "localhost:8080"/],
  ['[::1]', /has no port; write "\[::1\]:8080"/],
  ['::1:8080', /in brackets/],
  ['::8080', /in brackets/],
  ['[127.0.0.1]:80', /no IPv6 address in brackets/],
  ['[::1', /no IPv6 address in brackets/],
  ['[::1]8080', /no IPv6 address in brackets/],
  [':65536', /above 65535/],
  [':999999999999', /above 65535/],
  ['256.1.1.1:80', /no IPv4 address/],
  ['1.2.3:80', /no IPv4 address/],
  ['*:8080', /for all interfaces write/],
  ['http://localhost:8080', /is a URL/],
  ['a b:80', /neither a name nor an address/],
  ['-a.example:80', /neither a name nor an address/],
  [' 8080', /has no port/],
  [':-1', /has the port "-1"/],
];

describe('host and port', () => {
  for (const [text, host, port] of acceptedTexts) {
    it(`reads "${text}"`, () => {
      assert.deepEqual(parseHostPort(text, 'bare'), { ok: true, value: { host, port } });
    });
  }

  for (const [text, message] of refusedTexts) {
    it(`refuses "${text}" and says what to write`, () => {
      const result = parseHostPort(text, 'bare');
      assert.equal(result.ok, false);
      assert.match(result.message, message);
    });
  }

  it('reads back every address that it writes', () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(hosts, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        assert.deepEqual(parseHostPort(formatHostPort({ host, port }), 'bare'), { ok: true, value: { host, port } });
      }),
    );
  });

  it('knows the addresses that stand for every interface', () => {
    assert.deepEqual(['::', '0.0.0.0', '0:0:0:0:0:0:0:0', '0::'].filter(isWildcard).length, 4);
    assert.deepEqual(['::1', '127.0.0.1', 'localhost', '1::'].filter(isWildcard), []);
  });

  const collisions: readonly (readonly [string, string, boolean])[] = [
    [':8080', '127.0.0.1:8080', true],
    ['127.0.0.1:8080', '127.0.0.1:8080', true],
    ['127.0.0.1:8080', '127.0.0.2:8080', false],
    ['localhost:8080', '127.0.0.1:8080', true],
    ['127.0.0.1:8080', '127.0.0.1:9090', false],
    [':0', ':0', false],
  ];
  for (const [left, right, expected] of collisions) {
    it(`says that ${left} and ${right} ${expected ? 'collide' : 'do not collide'}`, () => {
      const [one, two] = [parseHostPort(left, '::'), parseHostPort(right, '::')];
      assert.ok(one.ok && two.ok);
      assert.equal(mayCollide(one.value, two.value), expected);
    });
  }
});
