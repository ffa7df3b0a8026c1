/** TLSCertFile and TLSKeyFile: every way in which they cannot be used is told before anything listens. */

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { describeConfig } from '../../src/main/config/describe-config.ts';
import { compareConfigs } from '../../src/main/config/reload-config.ts';
import { resolveSecret } from '../../src/main/config/secret-file.ts';
import { resolveTls } from '../../src/main/config/tls-files.ts';
import { complete, inFolder, loadText, problemsOf, withLines } from '../support/config-fixture.ts';
import { installCertificate, tlsData } from '../support/test-certificate.ts';

function messageOf(TLSCertFile: string, TLSKeyFile: string, UnixSocket = false): string {
  const tls = resolveTls({ TLSCertFile, TLSKeyFile, UnixSocket }, tlsData(''));
  return tls.ok ? '' : tls.message;
}

function linesFor(certFile: string, keyFile: string): string {
  return `TLSCertFile = ${JSON.stringify(certFile)}\nTLSKeyFile = ${JSON.stringify(keyFile)}`;
}

describe('a certificate and its key', () => {
  it('are taken when they fit each other, by paths from the working directory', () => {
    assert.equal(messageOf('first.pem', 'first.key'), '');
    assert.equal(messageOf('', ''), '');
  });

  const refusals: readonly (readonly [string, string, RegExp])[] = [
    ['first.pem', '', /^TLSCertFile is set without TLSKeyFile/],
    ['', 'first.key', /^TLSKeyFile is set without TLSCertFile/],
    ['none.pem', 'first.key', /^TLSCertFile = ".*none\.pem" cannot be read: there is no such file/],
    ['first.pem', 'none.key', /^TLSKeyFile = ".*none\.key" cannot be read: there is no such file/],
    ['.', 'first.key', /^TLSCertFile = .* cannot be read: it is a folder/],
    [
      'first.pem',
      'second.key',
      /^TLSKeyFile = ".*second\.key" is not the key of the first certificate in ".*first\.pem"/,
    ],
    ['first.key', 'first.key', /^TLSCertFile = ".*first\.key" holds no certificate in PEM form/],
    ['first.pem', 'first.pem', /^TLSKeyFile = ".*first\.pem" holds no private key in PEM form/],
    ['first.pem', 'encrypted.key', /^TLSKeyFile = ".*encrypted\.key" is encrypted/],
    ['README.md', 'first.key', /^TLSCertFile = .* holds no certificate/],
  ];
  for (const [cert, key, expected] of refusals) {
    it(`are refused: ${cert} with ${key}`, () => assert.match(messageOf(cert, key), expected));
  }

  it('are refused on a unix socket', () => {
    assert.match(messageOf('first.pem', 'first.key', true), /cannot be used with UnixSocket = true/);
  });

  it('are told with the place in the file, and never with the key', () => {
    const [problem = ''] = problemsOf(complete(linesFor(tlsData('first.pem'), tlsData('second.key'))));
    assert.match(problem, /^config\.toml:1:\d+: TLSKeyFile = /);
    assert.doesNotMatch(problem, /BEGIN/);
  });

  it('are taken with a warning when the certificate has expired, or others can read the key', () => {
    inFolder((folder) => {
      const key = join(folder, 'x.key');
      copyFileSync(tlsData('first.key'), key);
      chmodSync(key, 0o644);
      const { warnings } = withLines(linesFor(tlsData('expired.pem'), key));
      assert.match(warnings[0]?.message ?? '', /has expired on 2015-12-13T/);
      assert.match(warnings[1]?.message ?? '', /every user of this machine can read the key; run: chmod o-rwx/);
      chmodSync(key, 0o640);
      assert.deepEqual(withLines(linesFor(tlsData('first.pem'), key)).warnings, []);
    });
  });

  it('are shown by check-config with the end of their validity, and never with what is in them', () => {
    inFolder((folder) => {
      installCertificate(folder, 'first');
      const loaded = loadText(complete(linesFor(join(folder, 'server.pem'), join(folder, 'server.key'))));
      assert.ok(loaded.ok);
      const shown = describeConfig(loaded);
      assert.match(shown, /^TLSCertFile = "[^"]*server\.pem" +# config\.toml:1:\d+: valid until 2126-10-31T/m);
      assert.doesNotMatch(shown, /BEGIN/);
    });
  });

  it('are limited in size', () => {
    inFolder((folder) => {
      const large = join(folder, 'large.pem');
      writeFileSync(large, 'x'.repeat(300_000));
      assert.match(messageOf(large, 'first.key'), /cannot be read/);
    });
  });
});

describe('a reloaded certificate', () => {
  const resolved = (folder: string) =>
    resolveSecret(withLines(linesFor(join(folder, 'server.pem'), join(folder, 'server.key')))).config;

  it('is taken over when only its contents are new', () => {
    inFolder((folder) => {
      installCertificate(folder, 'first');
      const before = resolved(folder);
      assert.deepEqual(compareConfigs(before, resolved(folder)).changed, []);
      installCertificate(folder, 'second');
      const { next, changed, needRestart } = compareConfigs(before, resolved(folder));
      assert.deepEqual([changed, needRestart], [['TLSCertFile'], []]);
      assert.notEqual(next.tls?.fingerprint, before.tls?.fingerprint);
    });
  });

  it('is taken over from other files', () => {
    inFolder((folder) => {
      const other = join(folder, 'other');
      mkdirSync(other);
      installCertificate(folder, 'first');
      installCertificate(other, 'second');
      const { next, changed } = compareConfigs(resolved(folder), resolved(other));
      assert.deepEqual(changed, ['TLSCertFile', 'TLSKeyFile']);
      assert.equal(next.tls?.keyFile, join(other, 'server.key'));
    });
  });

  it('needs a restart when TLS is switched on or off', () => {
    inFolder((folder) => {
      installCertificate(folder, 'first');
      const [off, on] = [resolveSecret(withLines('')).config, resolved(folder)];
      for (const [before, after] of [
        [off, on],
        [on, off],
      ] as const) {
        const { next, changed, needRestart } = compareConfigs(before, after);
        assert.deepEqual([changed, needRestart], [[], ['TLSCertFile', 'TLSKeyFile']]);
        assert.deepEqual(next.tls, before.tls);
      }
    });
  });
});
