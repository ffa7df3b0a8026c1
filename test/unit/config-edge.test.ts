/** The keys for what stands in front of the server. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complete, problemsOf, table, withLines } from '../support/config-fixture.ts';

const ALL_OF = (family: 'ipv4' | 'ipv6', address: string, prefix: number) => ({ family, address, prefix });

table(
  'TrustedProxies',
  [
    ['', { ranges: [], hasUnixSocket: false }],
    ['TrustedProxies = ["127.0.0.1"]', { ranges: [ALL_OF('ipv4', '127.0.0.1', 32)], hasUnixSocket: false }],
    ['TrustedProxies = ["::1"]', { ranges: [ALL_OF('ipv6', '::1', 128)], hasUnixSocket: false }],
    [
      'TrustedProxies = ["10.0.0.0/8", "fd00::/8", "unix"]',
      { ranges: [ALL_OF('ipv4', '10.0.0.0', 8), ALL_OF('ipv6', 'fd00::', 8)], hasUnixSocket: true },
    ],
  ],
  (line, expected) => assert.deepEqual(withLines(line).trustedProxies, expected),
);

table(
  'TrustedProxies refuses',
  [
    ['TrustedProxies = ["localhost"]', /: "localhost" is no address; write "127\.0\.0\.1"/],
    ['TrustedProxies = ["10.0.0.0/33"]', /"10\.0\.0\.0\/33" is no address/],
    ['TrustedProxies = ["::/129"]', /"::\/129" is no address/],
    ['TrustedProxies = ["10.0.0.0/"]', /is no address/],
    ['TrustedProxies = ["10.0.0/8"]', /is no address/],
    ['TrustedProxies = ["fe80::1%eth0"]', /is no address/],
    ['TrustedProxies = [""]', /is no address/],
    ['TrustedProxies = "127.0.0.1"', /write an array/],
  ],
  (line, expected) => {
    const problems = problemsOf(complete(line));
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', expected);
  },
);

describe('a network of all addresses', () => {
  it('is taken with a warning', () => {
    for (const network of ['0.0.0.0/0', '::/0']) {
      const [warning] = withLines(`TrustedProxies = ["${network}"]`).warnings;
      assert.match(warning?.message ?? '', /clients can claim any address/);
    }
  });
});

table(
  'SocketMode',
  [
    ['', 0o660],
    ['SocketMode = "0600"', 0o600],
    ['SocketMode = "666"', 0o666],
  ],
  (line, expected) => assert.equal(withLines(line).socketMode, expected),
);

table(
  'SocketMode refuses',
  [
    ['SocketMode = "rw-rw----"', /is no mode; write it as chmod takes it: "0660"/],
    ['SocketMode = "0o660"', /is no mode/],
    ['SocketMode = "4660"', /is no mode/],
    ['SocketMode = "0060"', /keeps the server itself out/],
    ['SocketMode = 660', /write it in quotes/],
  ],
  (line, expected) => assert.match(problemsOf(complete(line))[0] ?? '', expected),
);

table(
  'AccelRedirectPrefix',
  [
    ['', null],
    ['AccelRedirectPrefix = "/stored-files/"', '/stored-files/'],
    ['AccelRedirectPrefix = "/a/b/"', '/a/b/'],
  ],
  (line, expected) => assert.equal(withLines(line).accelRedirectPrefix, expected),
);

table(
  'AccelRedirectPrefix refuses',
  [
    ['AccelRedirectPrefix = "stored-files"', /write it as in nginx: "\/stored-files\/"/],
    ['AccelRedirectPrefix = "/"', /is no path of plain names/],
    ['AccelRedirectPrefix = "/a/../b/"', /is no path of plain names/],
    ['AccelRedirectPrefix = "/a b/"', /is no path of plain names/],
    ['AccelRedirectPrefix = "/a/"\nEnableVersioning = true', /cannot be used with EnableVersioning/],
  ],
  (line, expected) => assert.match(problemsOf(complete(line))[0] ?? '', expected),
);

describe('AccelRedirectPrefix without a trusted proxy', () => {
  it('is taken with a warning', () => {
    const [warning] = withLines('AccelRedirectPrefix = "/a/"').warnings;
    assert.match(warning?.message ?? '', /has no effect without TrustedProxies/);
    assert.deepEqual(withLines('AccelRedirectPrefix = "/a/"\nTrustedProxies = ["unix"]').warnings, []);
  });
});

table(
  'SharedPort',
  [
    ['', false],
    ['SharedPort = true', true],
    ['SharedPort = true\nListenPort = "/run/x.sock"\nUnixSocket = true', true],
  ],
  (line, expected) => assert.equal(withLines(line).isPortShared, expected),
);

describe('SharedPort on a host that resets waiting connections', () => {
  it('is taken with a warning, and without one on a unix socket', () => {
    const [warning] = withLines('SharedPort = true').warnings;
    assert.match(warning?.message ?? '', /sysctl -w net\.ipv4\.tcp_migrate_req=1/);
    assert.deepEqual(withLines('SharedPort = true\nListenPort = "/run/x.sock"\nUnixSocket = true').warnings, []);
  });
});

describe('SharedPort with any free port', () => {
  it('is refused', () => {
    const [problem = ''] = problemsOf(complete('SharedPort = true\nListenPort = 0'));
    assert.match(problem, /SharedPort needs a ListenPort that both servers know/);
  });
});
