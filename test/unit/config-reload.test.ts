/** What SIGHUP changes, and what has to wait for a restart. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../src/main/config/config.ts';
import { configKeyNames, rowOf } from '../../src/main/config/config-schema.ts';
import { compareConfigs } from '../../src/main/config/reload-config.ts';
import { resolveSecret } from '../../src/main/config/secret-file.ts';
import { withLines } from '../support/config-fixture.ts';

function resolved(lines: string): Config {
  return resolveSecret(withLines(lines)).config;
}

const base = 'MetricsEnabled = true\n';

const restarts: readonly (readonly [string, readonly string[]])[] = [
  ['ListenPort = 8081', ['ListenPort']],
  ['ListenPort = "/run/x.sock"\nUnixSocket = true', ['ListenPort', 'UnixSocket']],
  ['StoreDir = "/srv/other"', ['StoreDir']],
  ['UploadSubDir = "files"', ['UploadSubDir']],
  ['MetricsPort = 9091', ['MetricsPort']],
  ['ResumableUploadsEnabled = false', ['ResumableUploadsEnabled']],
  ['ResumableDownloadsEnabled = false', ['ResumableDownloadsEnabled']],
  ['EnableVersioning = true', ['EnableVersioning']],
  ['ChunkSize = 4096', ['ChunkSize']],
  ['ChunkSize = 4096\nChunkingEnabled = false', []],
  ['SignedPath = "full"', ['SignedPath']],
  ['TypeByExtension = false', ['TypeByExtension']],
  ['AcceptV3 = false', ['AcceptV3']],
  ['Durability = "none"', ['Durability']],
  ['MinFreeSpace = 1', ['MinFreeSpace']],
  ['MinFreeInodes = 1', ['MinFreeInodes']],
  ['StoreDigest = true', ['StoreDigest']],
  ['ShutdownTimeout = "1m"', ['ShutdownTimeout']],
  ['PublicOrigin = "https://a.example"', ['PublicOrigin']],
  ['MaxConcurrentUploads = 1', ['MaxConcurrentUploads']],
  ['MaxConnections = 1', ['MaxConnections']],
  ['UploadLanes = 5', ['UploadLanes']],
  // Its lanes follow.
  ['Listeners = 8', ['Listeners', 'UploadLanes', 'DownloadLanes']],
  ['DownloadLanes = 3', ['DownloadLanes']],
  ['AccelRedirectPrefix = "/x/"', ['AccelRedirectPrefix']],
  ['SharedPort = true', ['SharedPort']],
  ['SocketMode = "0666"', ['SocketMode']],
];

describe('a reloaded configuration', () => {
  it('changes nothing when nothing changed', () => {
    const { next, changed, needRestart } = compareConfigs(resolved(base), resolved(base));
    assert.deepEqual([changed, needRestart], [[], []]);
    assert.deepEqual(next, resolved(base));
  });

  const reloadable: readonly (readonly [string, string, keyof Config, unknown])[] = [
    ['Secret', '"another-secret-of-today"', 'secret', 'another-secret-of-today'],
    ['PreviousSecrets', '["a-secret-of-yesterday"]', 'previousSecrets', ['a-secret-of-yesterday']],
    ['DeleteSecret', '"delete"', 'deleteSecret', 'delete'],
    ['LogLevel', '"debug"', 'logLevel', 'debug'],
    ['LogFile', '"/var/log/x.log"', 'logFile', '/var/log/x.log'],
    ['AllowedExtensions', '["txt"]', 'allowedExtensions', new Set(['txt'])],
    ['FileTTL', '"30d"', 'fileTtlSeconds', 2_592_000],
    ['MaxVersions', '5', 'maxVersions', 5],
    ['MaxUploadSize', '1000', 'maxUploadBytes', 1_000],
    ['OwnerQuota', '1000', 'ownerQuotaBytes', 1_000],
    ['MaxUploadsPerAddress', '5', 'maxPerAddress', { requests: null, uploads: 5 }],
    ['MaxRequestsPerAddress', '7', 'maxPerAddress', { requests: 7, uploads: null }],
    ['TrustedProxies', '["unix"]', 'trustedProxies', { ranges: [], hasUnixSocket: true }],
  ];
  for (const [key, value, field, expected] of reloadable) {
    it(`takes over ${key}`, () => {
      const { next, changed, needRestart } = compareConfigs(resolved(base), resolved(`${key} = ${value}\n${base}`));
      assert.deepEqual([changed, needRestart], [[key], []]);
      assert.deepEqual(next[field], expected);
      assert.ok(Object.isFrozen(next));
    });
  }

  it('takes over exactly the keys that the table calls reloadable', () => {
    assert.deepEqual(
      configKeyNames.filter((name) => rowOf(name).isReloadable).sort(),
      // Certificates are files: config-tls.test.ts.
      [...reloadable.map(([key]) => key), 'TLSCertFile', 'TLSKeyFile'].sort(),
    );
  });

  for (const [lines, keys] of restarts) {
    it(`names what needs a restart: ${lines.replaceAll('\n', '; ')}`, () => {
      const before = resolved(base);
      const { next, changed, needRestart } = compareConfigs(before, resolved(`${lines}\n${base}`));
      assert.deepEqual([changed, needRestart], [[], keys]);
      assert.deepEqual({ ...next, warnings: [] }, { ...before, warnings: [] });
    });
  }

  it('names a switched operator port by its switch', () => {
    assert.deepEqual(compareConfigs(resolved(base), resolved('')).needRestart, ['MetricsEnabled']);
  });

  it('warns about what is in effect: the new secret, the old operator port', () => {
    const before = resolved('Secret = "short"\nMetricsPort = ":9090"\nMetricsEnabled = true');
    const { next } = compareConfigs(before, resolved('FileTTL = "1m"\nMetricsPort = "9090"\nMetricsEnabled = true'));
    assert.deepEqual(
      next.warnings.flatMap(({ reason }) => (reason === null ? [] : [reason])),
      ['ttl_short', 'metrics_exposed'],
    );
  });
});
