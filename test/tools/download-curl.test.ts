/** The real curl resuming downloads: `-C -` asks for the rest of what lies on its disk, without any validator. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { curl } from '../support/curl.ts';
import { content, store } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILE = content('curl', 3 * 1024 * 1024 + 17);

let server: ServerProcess;
let url: string;
let folder: string;

before(async () => {
  server = await ServerProcess.start();
  url = await store(server, 'file.bin', FILE);
  folder = mkdtempSync(join(tmpdir(), 'hmac-curl-'));
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('D-50 curl -C - completes a partial file', async () => {
  const target = join(folder, 'partial.bin');
  writeFileSync(target, FILE.subarray(0, 1_000_001));
  const result = await curl(['--continue-at', '-', '--output', target, url]);
  assert.equal(result.exitCode, 0, result.errors);
  assert.equal(result.status, 206);
  assert.ok(readFileSync(target).equals(FILE));
});

test('D-51 curl -C - on a complete file is told 416, takes it for success, and keeps the file', async () => {
  const target = join(folder, 'complete.bin');
  writeFileSync(target, FILE);
  const result = await curl(['--continue-at', '-', '--output', target, url]);
  assert.equal(result.exitCode, 0, result.errors);
  assert.equal(result.status, 416);
  assert.ok(readFileSync(target).equals(FILE));
});

test('curl downloads and repeats by ETag: the second time nothing is sent', async () => {
  const target = join(folder, 'whole.bin');
  const tag = join(folder, 'tag');
  const first = await curl(['--etag-save', tag, '--output', target, url]);
  assert.deepEqual([first.exitCode, first.status], [0, 200]);
  assert.ok(readFileSync(target).equals(FILE));
  const second = await curl(['--etag-compare', tag, '--output', target, url]);
  assert.deepEqual([second.exitCode, second.status], [0, 304]);
});
