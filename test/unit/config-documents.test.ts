/** What is written from the table of keys: the document, the configuration that comes with the server, and that of `init`. */

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { renderConfigFile, startSettings } from '../../src/main/config/config-file-template.ts';
import { configKeyNames, rowOf } from '../../src/main/config/config-schema.ts';
import { renderConfigurationDocument } from '../../src/main/config/configuration-document.ts';
import { describeConfig } from '../../src/main/config/describe-config.ts';
import { readProductVersion } from '../../src/main/config/product-version.ts';
import { writeConfigFile } from '../../src/main/config/write-config-file.ts';
import { configOf, inFolder, loadText, MINIMAL, problemsOf } from '../support/config-fixture.ts';
import { projectRoot } from '../support/project-root.ts';

describe('docs/configuration.md', () => {
  it('is what the table of keys says (npm run docs:configuration)', () => {
    const written = readFileSync(join(projectRoot, 'docs', 'configuration.md'), 'utf8');
    assert.equal(written, renderConfigurationDocument());
  });
});

describe('the table of keys', () => {
  it('has a default that its own check takes, or none', () => {
    for (const name of configKeyNames) {
      const row = rowOf(name);
      assert.equal(row.default === null || row.check(row.default).ok, true, name);
    }
  });
});

describe('config.toml', () => {
  const text = readFileSync(join(projectRoot, 'config.toml'), 'utf8');

  it('is what the table of keys says', () => {
    assert.equal(text, renderConfigFile(startSettings));
  });

  it('starts on any machine, exposes nothing and holds no secret', () => {
    const config = configOf(text);
    assert.deepEqual(config.listen, { kind: 'tcp', host: '127.0.0.1', port: 8080 });
    assert.deepEqual(config.metrics, { host: '127.0.0.1', port: 9090 });
    assert.equal(config.basePath, '/files/');
    assert.match(config.storeDir, /\/uploads$/);
    assert.equal(config.secret, null);
    assert.deepEqual(config.warnings, []);
  });

  it('shows every key, those that are not set with their default', () => {
    const shown = text
      .replaceAll(/^# (\w+ = )/gm, '$1')
      .replace('Secret = "..."', 'Secret = "a-secret-of-24-characters"');
    assert.deepEqual(problemsOf(shown), []);
    for (const name of configKeyNames) assert.match(shown, new RegExp(`^${name} = `, 'm'));
  });
});

describe('the file of init', () => {
  it('is private, starts, and has a secret of its own', () => {
    inFolder((folder) => {
      const written = ['one.toml', 'two.toml'].map((file) => {
        assert.deepEqual(writeConfigFile(file, folder), { ok: true, path: join(folder, file) });
        assert.equal(statSync(join(folder, file)).mode & 0o7777, 0o600);
        return configOf(readFileSync(join(folder, file)));
      });
      for (const config of written) assert.match(config.secret ?? '', /^[A-Za-z0-9_-]{43}$/);
      assert.notEqual(written[0]?.secret, written[1]?.secret);
      assert.deepEqual(written[0]?.warnings, []);
    });
  });

  it('never replaces another', () => {
    inFolder((folder) => {
      assert.ok(writeConfigFile('config.toml', folder).ok);
      const before = readFileSync(join(folder, 'config.toml'), 'utf8');
      assert.deepEqual(writeConfigFile('config.toml', folder), {
        ok: false,
        message: 'config.toml is there already and stays as it is; name another file',
      });
      assert.equal(readFileSync(join(folder, 'config.toml'), 'utf8'), before);
    });
  });

  it('is not written when its folder is missing', () => {
    inFolder((folder) => {
      const written = writeConfigFile('none/config.toml', folder);
      assert.match(written.ok ? '' : written.message, /cannot write none\/config\.toml: its folder does not exist/);
    });
  });
});

describe('the description of a configuration', () => {
  it('shows every key once, with its origin', () => {
    const loaded = loadText(`${MINIMAL}FileTTL = "30d"\n`, { HMAC_FILE_SERVER_MAXVERSIONS: '3' });
    assert.ok(loaded.ok);
    const lines = describeConfig(loaded).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      configKeyNames,
    );
    const find = (name: string): string =>
      lines.find((line) => line.startsWith(`${name} `))?.replaceAll(/ {2,}/g, '  ') ?? '';
    assert.equal(find('FileTTL'), 'FileTTL = "30d"  # config.toml:3:11: 2592000 seconds');
    assert.equal(find('MaxVersions'), 'MaxVersions = 3  # HMAC_FILE_SERVER_MAXVERSIONS');
    assert.equal(find('ListenPort'), 'ListenPort = ":8080"  # default: all interfaces, port 8080');
  });

  it('counts secrets and never shows them', () => {
    const text = `StoreDir = "/x"\nSecret = "HUSH-\u00fc"\nPreviousSecrets = ["HUSH1", "HUSH-2"]\nDeleteSecret = "HUSH"\n`;
    const loaded = loadText(text);
    assert.ok(loaded.ok);
    const shown = describeConfig(loaded);
    assert.doesNotMatch(shown, /HUSH/);
    assert.match(shown, /^Secret = \(set, 7 bytes\) /m);
    assert.match(shown, /^PreviousSecrets = \[\(set, 5 bytes\), \(set, 6 bytes\)\] /m);
    assert.match(shown, /^DeleteSecret = \(set, 4 bytes\) /m);
  });
});

describe('the version', () => {
  it('is that of package.json', () => {
    assert.match(readProductVersion(), /^\d+\.\d+\.\d+/);
  });
});
