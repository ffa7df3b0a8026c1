/** The import table of ARCHITECTURE.md, held against the linter that is to enforce it: a rule that never bites is none. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { projectRoot } from '../support/project-root.ts';

const forbidden = [
  ['src/shared/x.ts', 'node:crypto'],
  ['src/shared/x.ts', '../main/http/range.ts'],
  ['src/workers/x.ts', '../main/app.ts'],
  ['src/workers/x.ts', 'node:fs'],
  ['src/workers/storage/x.ts', '../lane.ts'],
  ['src/workers/storage/x.ts', 'node:worker_threads'],
  ['src/workers/storage/uploads/x.ts', '../../lane.ts'],
  ['src/workers/storage/sweep/x.ts', 'node:worker_threads'],
  ['src/main/http/x.ts', 'node:fs'],
  ['src/main/http/x.ts', '../auth/grant.ts'],
  ['src/main/http/x.ts', '../../workers/lane.ts'],
  ['src/main/auth/x.ts', 'node:crypto'],
  ['src/main/config/x.ts', '../http/range.ts'],
  ['src/main/events/x.ts', '../config/load-config.ts'],
  ['src/main/events/x.ts', 'piscina'],
  ['src/main/upload/x.ts', 'piscina'],
  ['src/main/upload/x.ts', '../uws/uws-server.ts'],
  ['src/main/download/x.ts', 'node:fs'],
  ['src/main/uws/x.ts', '../auth/grant.ts'],
  ['src/main/handover/x.ts', '../app.ts'],
  ['src/main/status/x.ts', 'node:fs'],
  ['src/main/webhooks/x.ts', 'node:fs'],
  ['src/main/webhooks/x.ts', '../app.ts'],
  ['src/main/status/page-files.ts', '../http/range.ts'],
  ['src/main/status/page/x.js', 'https://example.org/x.js'],
  ['src/main/lanes/x.ts', '../../workers/lane.ts'],
  ['src/main/store/x.ts', 'piscina'],
  ['src/main/store/x.ts', '../uws/uws-server.ts'],
  ['src/main/pipeline.ts', './uws/uws-server.ts'],
  ['src/main/app.ts', '../workers/lane.ts'],
  ['src/main/app.ts', 'winston'],
  ['src/main/cli/x.ts', 'node:fs'],
  ['src/main/put/x.ts', '../config/config.ts'],
  ['bench/x.ts', '../src/main/app.ts'],
] as const;

const allowed = [
  ['src/workers/x.ts', './storage/storage.ts'],
  ['src/workers/x.ts', './storage/uploads/upload-store.ts'],
  ['src/workers/storage/x.ts', './versions/versions.ts'],
  ['src/workers/storage/sweep/x.ts', '../uploads/remove-upload.ts'],
  ['src/main/http/x.ts', '../../shared/files.ts'],
  ['src/main/config/x.ts', 'node:fs'],
  ['src/main/events/x.ts', 'winston'],
  ['src/main/uws/x.ts', 'uWebSockets.js'],
  ['src/main/handover/x.ts', 'node:net'],
  ['src/main/status/x.ts', '../events/event-dispatcher.ts'],
  ['src/main/webhooks/x.ts', 'node:fs/promises'],
  ['src/main/status/page-files.ts', 'node:fs'],
  ['src/main/status/page/x.js', '/status/plot.js'],
  ['src/main/lanes/x.ts', 'piscina'],
  ['src/main/store/x.ts', '../lanes/job-pool.ts'],
  ['src/main/pipeline.ts', './http/problem.ts'],
  ['src/main/app.ts', './uws/uws-server.ts'],
  ['src/main/cli/x.ts', '../config/config.ts'],
  ['src/main/cli/x.ts', '../put/put-file.ts'],
  ['src/main/put/x.ts', 'node:http'],
] as const;

describe('import rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'import-rules-'));
  const settings: unknown = JSON.parse(readFileSync(join(projectRoot, 'biome.json'), 'utf8'));
  writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...(settings as object), vcs: { enabled: false } }));
  after(() => rmSync(folder, { recursive: true }));

  function refuses(file: string, module: string): boolean {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `import { x } from '${module}';\n\nx();\n`);
    const biome = join(projectRoot, 'node_modules/.bin/biome');
    const { stdout, stderr } = spawnSync(biome, ['lint', file], { cwd: folder, encoding: 'utf8' });
    rmSync(path);
    assert.match(stdout + stderr, /Checked 1 file/);
    return (stdout + stderr).includes('noRestrictedImports');
  }

  for (const [file, module] of forbidden) {
    it(`keeps ${module} out of ${file}`, () => assert.equal(refuses(file, module), true));
  }
  for (const [file, module] of allowed) {
    it(`lets ${file} import ${module}`, () => assert.equal(refuses(file, module), false));
  }
});
