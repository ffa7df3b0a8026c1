/** What a stranger on the same host, or behind a stored file, could learn or set off. Titles begin with the attack. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { run } from '../support/command-run.ts';
import { linesUpToNow } from '../support/log-marker.ts';
import { fieldOf, get, put } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';

const PREVIOUS = 'the-secret-before-this-one';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { PreviousSecrets: [PREVIOUS] } });
});

after(() => server.stop());

test('A80 no secret is in the command line, check-config, the ports of the operator, or the log', async () => {
  const configFile = join(server.folder, 'config.toml');
  const checked = await run(['check-config', '--config', configFile]);
  assert.equal(checked.status, 0, checked.stderr);
  const pages = await Promise.all(
    ['/metrics', '/healthz', '/readyz', '/status'].map((path) => get(server.metricsPort, path)),
  );
  const texts = {
    'command line': readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'),
    environment: readFileSync(`/proc/${server.pid}/environ`, 'utf8'),
    'check-config': checked.stdout + checked.stderr,
    pages: pages.map(({ body }) => body.toString()).join(''),
    log: JSON.stringify(await linesUpToNow(server)) + server.errors,
  };
  for (const [where, text] of Object.entries(texts)) {
    assert.ok(text.length > 0 || where === 'environment', where);
    for (const secret of [TEST_SECRET, PREVIOUS]) assert.ok(!text.includes(secret), where);
  }
});

test('A83 a compressed body is stored as it is and never unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
  const before = server.residentBytes();
  const stored = await put(server.port, server.signedTarget('bomb.gz', bomb.length), bomb, {
    'Content-Encoding': 'gzip',
  });
  assert.equal(stored.status, 201);
  const served = await get(server.port, '/files/bomb.gz');
  assert.ok(served.body.equals(bomb));
  assert.equal(fieldOf(served, 'content-encoding'), null);
  assert.ok(server.residentBytes() - before < 40 * 1024 * 1024);
});
