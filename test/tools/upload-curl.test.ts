/** Uploads by real curl. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { curl } from '../support/curl.ts';
import { get, put } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { settledTree } from '../support/store-state.ts';

const WRONG_MAC = '0'.repeat(64);
/** Larger than everything that sockets and proxies buffer. */
const LARGE_BYTES = 60 * 1024 * 1024;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('A69 60 MB behind a bad signature: curl gets the 403, with and without Expect', async () => {
  const body = Buffer.alloc(LARGE_BYTES, 'b');
  for (const expect of ['Expect: 100-continue', 'Expect:']) {
    for (const query of [`v=${WRONG_MAC}`, 'v=zz']) {
      const target = `${server.origin}/files/large?${query}`;
      const result = await curl(['-X', 'PUT', '--data-binary', '@-', '-H', expect, target], body);
      assert.equal(result.status, 403, `${expect} ${query} ${result.exitCode} ${result.errors}`);
    }
  }
  await settledTree(server);
});

test('curl -T uploads a file', async () => {
  const body = randomBytes(300_000);
  const key = 'by-curl';
  const target = `${server.origin}${server.signedTarget(key, body.length)}`;
  const result = await curl(
    ['-T', '-', '-H', `Content-Length: ${body.length}`, '-H', 'Transfer-Encoding:', target],
    body,
  );
  assert.deepEqual([result.exitCode, result.status], [0, 201], result.errors);
  assert.equal(sha256((await get(server.port, `/files/${key}`)).body), sha256(body));
});

test('P-17 curl -T, curl -C - -T, and curl -C after a first part: the files are identical', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hmac-curl-upload-'));
  const body = randomBytes(300_000);
  const file = join(folder, 'file.bin');
  writeFileSync(file, body);
  const slot = (key: string): string => server.signedTarget(key, body.length);
  try {
    const first = { 'Content-Range': `bytes 0-999/${body.length}` };
    assert.equal((await put(server.port, slot('P-17-part'), body.subarray(0, 1_000), first)).status, 308);
    const table = [
      ['P-17-whole', []],
      ['P-17-continued', ['--continue-at', '-']],
      ['P-17-part', ['--continue-at', '1000']],
    ] as const;
    for (const [key, options] of table) {
      const result = await curl([...options, '--upload-file', file, `${server.origin}${slot(key)}`]);
      assert.deepEqual([result.exitCode, result.status], [0, 201], `${key} ${result.errors}`);
      assert.equal(sha256((await get(server.port, `/files/${key}`)).body), sha256(body), key);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('curl -C at another place than the upload is: 409, and where it is', async () => {
  const body = randomBytes(2_000);
  const target = `${server.origin}${server.signedTarget('elsewhere', body.length)}`;
  const headers = ['--header', 'Content-Range: bytes 500-1999/2000', '--request', 'PUT', '--include'];
  const result = await curl([...headers, '--data-binary', '@-', target], body.subarray(500));
  assert.deepEqual([result.exitCode, result.status], [0, 409], result.errors);
});
