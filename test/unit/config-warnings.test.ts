/** What starts with a warning, and which name the metric has for it. */

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { noExpiryWarning } from '../../src/main/config/config-warnings.ts';
import { loadConfig } from '../../src/main/config/load-config.ts';
import { HOST, inFolder, MINIMAL, table, withLines } from '../support/config-fixture.ts';

table(
  'warnings',
  [
    [
      'Secret = "your-very-secure-secret-key"',
      [['placeholder_secret', /Secret is the placeholder of a published example/]],
    ],
    [`Secret = "$\{HMAC_FILE_SERVER_SECRET}"`, [['placeholder_secret', /looks like the name of a variable/]]],
    ['Secret = "fifteen-bytes-x"', [['short_secret', /only 15 bytes/]]],
    ['Secret = "sixteen-bytes-xy"', []],
    ['Secret = "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"', []],
    ['Secret = " sixteen-bytes-xy"', [[null, /begins or ends with white space/]]],
    ['PreviousSecrets = ["short"]', [['short_secret', /PreviousSecrets entry 1 has only 5 bytes/]]],
    ['PreviousSecrets = ["a-secret-of-24-characters"]', [[null, /is Secret itself/]]],
    ['MetricsEnabled = true\nMetricsPort = ":9090"', [['metrics_exposed', /takes all interfaces \(\[::\]:9090\)/]]],
    ['MetricsEnabled = true\nMetricsPort = "0.0.0.0:9090"', [['metrics_exposed', /all interfaces/]]],
    ['MetricsEnabled = false\nMetricsPort = ":9090"', []],
    ['FileTTL = "59m"', [['ttl_short', /after 59m/]]],
    ['FileTTL = "1h"', []],
    ['FileTTL = ""', []],
    ['UploadSubDir = "a b"', [[null, /UploadSubDir "\/a b\/" is compared as it arrives/]]],
    ['EnableVersioning = true\nMaxVersions = 5', []],
    ['EnableVersioning = false', []],
    ['MaxVersions = 5', [[null, /MaxVersions has no effect without EnableVersioning/]]],
    ['ChunkSize = 4096\nChunkingEnabled = false', [[null, /ChunkSize has no effect/]]],
    ['ChunkSize = 67108864', [[null, /32 uploads at once take 4294967296 bytes, 50 % of the memory/]]],
    ['AllowedExtensions = [".tar.gz"]', [[null, /"tar\.gz" never matches; .* after the last dot: "gz"|"gz"/]]],
  ] as readonly (readonly [string, readonly (readonly [string | null, RegExp])[]])[],
  (line, expected) => {
    const { warnings } = withLines(line);
    assert.deepEqual(
      warnings.map(({ reason }) => reason),
      expected.map(([reason]) => reason),
    );
    for (const [index, [, message]] of expected.entries()) assert.match(warnings[index]?.message ?? '', message);
  },
);

describe('the warning about files that never expire', () => {
  it('comes when less than a tenth of the file system is free', () => {
    const config = withLines('');
    assert.equal(noExpiryWarning(config, 10, 100), null);
    assert.deepEqual(noExpiryWarning(config, 9, 100), {
      reason: 'no_expiry',
      message: 'FileTTL is not set, so files are never removed, and /srv/store has only 9 % free',
    });
    assert.equal(noExpiryWarning(withLines('FileTTL = "1d"'), 9, 100), null);
  });
});

describe('the warning about a secret in a file that everybody can read', () => {
  function messagesWith(text: string, mode: number): readonly string[] {
    return inFolder((cwd) => {
      writeFileSync(join(cwd, 'config.toml'), text);
      chmodSync(join(cwd, 'config.toml'), mode);
      const loaded = loadConfig({ file: 'config.toml', environment: {}, cwd, host: HOST });
      assert.ok(loaded.ok);
      return loaded.config.warnings
        .map(({ message }) => message)
        .filter((message) => message.includes('holds a secret'));
    });
  }

  it('comes for mode 0644, not for 0640, and not without a secret', () => {
    const message =
      "config.toml holds a secret, and every user of this machine can read it; run: chmod o-r 'config.toml'";
    assert.deepEqual(messagesWith(MINIMAL, 0o644), [message]);
    assert.deepEqual(messagesWith('StoreDir = "/srv/store"\nDeleteSecret = "delete"\n', 0o644), [message]);
    assert.deepEqual(messagesWith(MINIMAL, 0o640), []);
    assert.deepEqual(messagesWith('StoreDir = "/srv/store"\n', 0o644), []);
  });
});
