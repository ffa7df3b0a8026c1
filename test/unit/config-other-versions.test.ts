/** Files that were written for other versions: 2.0.2 starts as it is, 3.x is told what to change. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { configKeyNames, findKey } from '../../src/main/config/config-schema.ts';
import { readTomlEntries } from '../../src/main/config/toml-entries.ts';
import { configOf, problemsOf } from '../support/config-fixture.ts';
import { projectRoot } from '../support/project-root.ts';

const data = join(projectRoot, 'test', 'data', 'config');
const example = readFileSync(join(data, 'hmac-file-server-2.0.2.toml'), 'utf8');

describe('the example of v2.0.2', () => {
  it('sets each of its 17 keys, the first 17 of the table', () => {
    const names = readTomlEntries(example).entries.map(({ path }) => findKey(path[0] ?? ''));
    assert.deepEqual([...names].sort(), [...configKeyNames.slice(0, 17)].sort());
  });

  it('starts, and means what it meant', () => {
    const config = configOf(example);
    assert.deepEqual(config.listen, { kind: 'tcp', host: '::', port: 8080 });
    assert.equal(config.secret, 'your-very-secure-secret-key');
    assert.match(config.storeDir, /\/uploads$/);
    assert.equal(config.basePath, '/files/');
    assert.equal(config.logLevel, 'info');
    assert.match(config.logFile ?? '', /\/server\.log$/);
    assert.deepEqual(config.metrics, { host: '::', port: 9090 });
    assert.equal(config.fileTtlSeconds, 2_592_000);
    assert.ok(config.resumableUploadsEnabled && config.resumableDownloadsEnabled);
    assert.deepEqual([config.enableVersioning, config.maxVersions, config.chunkBytes], [true, 5, 1_048_576]);
    assert.equal(config.allowedExtensions?.size, 11);
  });

  it('is warned about: placeholder secret and exposed metrics, nothing else', () => {
    const { warnings } = configOf(example);
    assert.deepEqual(
      warnings.map(({ reason }) => reason),
      ['placeholder_secret', 'metrics_exposed'],
    );
  });

  it('starts with the line ends of Windows as well', () => {
    assert.deepEqual(problemsOf(example.replaceAll('\n', '\r\n')), []);
  });
});

describe('the example of prosody-filer', () => {
  it('starts, and means what it meant', () => {
    const config = configOf(readFileSync(join(data, 'prosody-filer.toml')));
    assert.deepEqual(config.listen, { kind: 'tcp', host: '::', port: 5050 });
    assert.equal(config.secret, 'mysecret');
    assert.match(config.storeDir, /\/uploads$/);
    assert.equal(config.basePath, '/upload/');
  });
});

describe('a file of 3.x', () => {
  const problems = problemsOf(readFileSync(join(data, 'hmac-file-server-3.toml'), 'utf8'));

  const values: readonly (readonly [string, string])[] = [
    ['server.listen_address', 'write ListenPort = '],
    ['server.storage_path', 'write StoreDir = '],
    ['server.metricsenabled', 'write MetricsEnabled = '],
    ['server.filettlenabled', 'write FileTTL = '],
    ['server.filettl', 'write FileTTL = '],
    ['server.max_upload_size', 'write MaxUploadSize = '],
    ['server.pidfilepath', 'has no counterpart here; remove it'],
    ['security.secret', 'write Secret = '],
    ['uploads.allowed_extensions', 'write AllowedExtensions = '],
    ['uploads.chunked_uploads_enabled', 'write ChunkingEnabled = '],
    ['uploads.chunksize', 'write ChunkSize = '],
    ['downloads.chunksize', 'has no counterpart here; remove it'],
    ['logging.level', 'write LogLevel = '],
    ['logging.file', 'write LogFile = '],
    ['redis.redisenabled', 'has no counterpart here; remove it'],
  ];
  for (const [name, text] of values) {
    it(`is told what ${name} is here`, () => {
      const found = problems.filter((problem) => problem.includes(`"${name}"`));
      assert.equal(found.length, 1);
      assert.ok(found[0]?.includes(text), found[0]);
    });
  }

  it('is told what docs/migration.md shows', () => {
    const document = readFileSync(join(projectRoot, 'docs', 'migration.md'), 'utf8');
    const shown = document.split('\n').filter((line) => line.startsWith('config.toml:'));
    assert.equal(shown.length, 2);
    for (const line of shown) assert.ok(problems.includes(line), line);
  });

  it('is named as such at each table, and no value is shown', () => {
    const tables = problems.filter((problem) => problem.includes('sectioned format of HMAC File Server 3.x'));
    assert.equal(tables.length, 6);
    assert.equal(problems.length, tables.length + values.length);
    assert.ok(!problems.some((problem) => problem.includes('not-shown-in-messages')));
  });
});
