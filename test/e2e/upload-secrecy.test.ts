/**
 * A78, A61: whoever reads logs and metrics can upload nothing and, from the metrics, find nothing. A run of every kind
 * of request is searched for queries, MACs, tokens and secrets.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { linesUpToNow } from '../support/log-marker.ts';
import { exchange, get, put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signV, signV2, signV3 } from '../support/sign.ts';

const KEY = 'secret-folder/secret-name.bin';
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzbG90IjoieCJ9.c2lnbmF0dXJl';
const PREVIOUS = 'the-secret-before-this-one';
const DELETE_SECRET = 'the-secret-of-deletions';

let server: ServerProcess;
let folder: string;
let log = '';
let metrics = '';
const macs = {
  v: signV(TEST_SECRET, KEY, 3),
  wrong: signV(TEST_SECRET, KEY, 4),
  v2: signV2(TEST_SECRET, KEY, 3, 'application/octet-stream'),
  v3: signV3(TEST_SECRET, `/files/${KEY}`, 4_000_000_000),
};

/** Requests that end in every way: stored, refused, conflicting, malformed, cut. */
async function run(): Promise<void> {
  const { port } = server;
  const queries = [
    `v=${macs.wrong}`,
    `v2=${macs.wrong}`,
    `v=${macs.wrong.toUpperCase()}`,
    `v=${macs.v}zz`,
    `v=${macs.v}&v=${macs.v}`,
    `v3=${macs.v3}&expires=1`,
    `v=${macs.v}`,
    `token=${macs.v2}`,
    `v3=${macs.v3}&expires=4000000000`,
    `x=${macs.v}`,
  ];
  for (const query of queries) {
    await put(port, `/files/${KEY}?${query}`, 'abc', {
      Authorization: `Bearer ${TOKEN}`,
      Cookie: 'session=secret-cookie',
    });
    await put(port, `/files/a/../${KEY}?${query}`, 'abc');
    await put(port, `/elsewhere/${KEY}?${query}`, 'abc');
    for (const method of ['GET', 'DELETE', 'POST', 'OPTIONS'])
      await exchange(port, requestBytes(method, `/files/${KEY}?${query}`));
    await exchange(port, requestBytes('PUT', `/files/${KEY}?${query}`, { 'Content-Length': '03' }));
    await exchange(port, requestBytes('PUT', `/files/${KEY}?${query}`, { 'Transfer-Encoding': 'x' }));
  }
  await put(port, `/files/${KEY}`, 'abc', { Authorization: `Bearer ${TOKEN}` });
  const cut = await RawConnection.open(port);
  await cut.send(requestBytes('PUT', server.signedTarget('cut', 6), { 'Content-Length': '6' }), 'abc');
  await server.event('upload.created', 10_000, (line) => line['size_bytes'] === 6);
  cut.drop();
  await server.event('upload.discarded');
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-file-server-log-'));
  const settings = {
    LogFile: join(folder, 'server.log'),
    LogLevel: 'trace',
    PreviousSecrets: [PREVIOUS],
    DeleteSecret: DELETE_SECRET,
  };
  server = await ServerProcess.start({ settings });
  await run();
  const lines = await linesUpToNow(server);
  assert.ok(lines.length > 100);
  metrics = (await get(server.metricsPort, '/metrics')).body.toString();
  log = JSON.stringify(lines) + server.errors + readFileSync(join(folder, 'server.log'), 'utf8');
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('A78 no log line and no metric contains a query, a MAC, a token or a cookie', () => {
  const forbidden = [...Object.values(macs), TOKEN, 'secret-cookie', 'Bearer', '?v', '?token', '?x=', 'expires=', '&v'];
  for (const text of [...forbidden, ...Object.values(macs).map((mac) => mac.slice(0, 16))]) {
    assert.ok(!log.toLowerCase().includes(text.toLowerCase()), `log: ${text}`);
    assert.ok(!metrics.toLowerCase().includes(text.toLowerCase()), `metrics: ${text}`);
  }
});

test('no log line and no metric contains a secret of the configuration', () => {
  for (const secret of [TEST_SECRET, PREVIOUS, DELETE_SECRET]) {
    assert.ok(!log.includes(secret));
    assert.ok(!metrics.includes(secret));
  }
});

test('A61 no metric contains a path, an address or anything else of a request', () => {
  for (const text of ['secret-folder', 'secret-name', '127.0.0.1', 'elsewhere', '/files/a']) {
    assert.ok(!metrics.includes(text), text);
  }
});

test('the run was logged: paths without their query', () => {
  assert.ok(log.includes(`/files/${KEY}`));
  assert.ok(log.includes('Invalid MAC'));
});
