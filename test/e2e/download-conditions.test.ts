/** Conditional requests on the wire (RFC 9110 §13), alone and together with ranges. */

import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, PacedClient, store } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILE = content('conditions', 20_000);
const DAY_MS = 86_400_000;
const DAY_OLD = new Date(Math.floor((Date.now() - DAY_MS) / 1000) * 1000);
const DATE = DAY_OLD.toUTCString();
const OLDER_DATE = new Date(DAY_OLD.getTime() - DAY_MS).toUTCString();
const OTHER = '"another-tag"';
const RANGE = { Range: 'bytes=10-19' };

let server: ServerProcess;
/** Changed a day ago: its date is a strong validator. */
let url: string;
let etag: string;

before(async () => {
  server = await ServerProcess.start();
  url = await store(server, 'old.bin', FILE);
  utimesSync(join(server.storeDir, 'old.bin'), DAY_OLD, DAY_OLD);
  const response = await fetch(url, { method: 'HEAD' });
  etag = response.headers.get('etag') ?? '';
  assert.equal(response.headers.get('last-modified'), DATE);
});

after(() => server.stop());

/** Sends the fields, and checks status and body against what that status promises. */
async function answers(status: number, headers: Record<string, string>): Promise<void> {
  const response = await fetch(url, { headers });
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, status, JSON.stringify(headers));
  if (status === 200) assert.ok(body.equals(FILE));
  if (status === 206) assert.ok(body.equals(FILE.subarray(10, 20)));
  if (status === 304) {
    assert.equal(body.length, 0);
    assert.equal(response.headers.get('etag'), etag);
  }
}

test('D-23 If-Range with the ETag answers 206 (RFC 9110 §13.1.5)', () => answers(206, { ...RANGE, 'If-Range': etag }));

test('D-24 If-Range with another ETag answers 200 with the whole file (RFC 9110 §13.1.5)', () =>
  answers(200, { ...RANGE, 'If-Range': OTHER }));

test('D-25 If-Range with the weak form of the ETag answers 200 (RFC 9110 §13.1.5: strong comparison)', () =>
  answers(200, { ...RANGE, 'If-Range': `W/${etag}` }));

test('D-26 If-Range with the exact date answers 206 (RFC 9110 §13.1.5)', () =>
  answers(206, { ...RANGE, 'If-Range': DATE }));

test('D-26 If-Range with a date that is still weak answers 200 (RFC 9110 §8.8.2.2)', async () => {
  const fresh = await store(server, 'fresh.bin', FILE);
  const date = (await fetch(fresh, { method: 'HEAD' })).headers.get('last-modified') ?? '';
  const response = await fetch(fresh, { headers: { ...RANGE, 'If-Range': date } });
  assert.equal(response.status, 200);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(FILE));
});

test('D-27 If-Range with an older date answers 200 (RFC 9110 §13.1.5)', () =>
  answers(200, { ...RANGE, 'If-Range': OLDER_DATE }));

test('D-28 a failed If-Range with a range outside the file answers 200, not 416 (RFC 9110 §13.2.2)', () =>
  answers(200, { Range: 'bytes=99999999-', 'If-Range': OTHER }));

test('D-29 If-None-Match with the ETag or * answers 304 (RFC 9110 §13.1.2, §15.4.5)', async () => {
  await answers(304, { 'If-None-Match': etag });
  await answers(304, { 'If-None-Match': '*' });
});

test('D-30 If-None-Match with the ETag in a list or in its weak form answers 304 (RFC 9110 §13.1.2)', async () => {
  await answers(304, { 'If-None-Match': `${OTHER}, ${etag}` });
  await answers(304, { 'If-None-Match': `W/${etag}` });
  await answers(200, { 'If-None-Match': OTHER });
});

test('D-31 another If-None-Match beats an equal If-Modified-Since: 200 (RFC 9110 §13.1.3)', () =>
  answers(200, { 'If-None-Match': OTHER, 'If-Modified-Since': DATE }));

test('D-32 If-Modified-Since: equal 304, older 200, garbage 200 (RFC 9110 §13.1.3)', async () => {
  await answers(304, { 'If-Modified-Since': DATE });
  await answers(200, { 'If-Modified-Since': OLDER_DATE });
  for (const garbage of ['yesterday', '0', `${DATE} or so`, '2026-01-01', 'x'.repeat(5_000)]) {
    await answers(200, { 'If-Modified-Since': garbage });
  }
});

test('D-33 If-Match: equal 200, * 200, different 412 (RFC 9110 §13.1.1)', async () => {
  await answers(200, { 'If-Match': etag });
  await answers(200, { 'If-Match': '*' });
  await answers(412, { 'If-Match': OTHER });
  await answers(412, { 'If-Match': `W/${etag}` });
});

test('D-34 If-Unmodified-Since: older 412, equal 200 (RFC 9110 §13.1.4)', async () => {
  await answers(412, { 'If-Unmodified-Since': OLDER_DATE });
  await answers(200, { 'If-Unmodified-Since': DATE });
  await answers(200, { 'If-Unmodified-Since': 'garbage' });
});

test('D-35 an equal If-None-Match with Range answers 304 (RFC 9110 §13.2.2)', () =>
  answers(304, { ...RANGE, 'If-None-Match': etag }));

test('conditions on a file that is not there answer 404 (RFC 9110 §13.2.1)', async () => {
  for (const headers of [{ 'If-None-Match': '*' }, { 'If-Match': '*' }, { 'If-Modified-Since': DATE }]) {
    const response = await fetch(`${url}.none`, { headers });
    await response.arrayBuffer();
    assert.equal(response.status, 404);
  }
});

test('A56 lists of as many ETags as a head can hold are read right and quickly', async () => {
  const tags = Array.from({ length: 1_000 }, (_, index) => `"tag-${index}"`).join(', ');
  const started = performance.now();
  await answers(200, { 'If-None-Match': tags });
  await answers(304, { 'If-None-Match': `${tags}, ${etag}` });
  await answers(412, { 'If-Match': tags });
  await answers(200, { 'If-Match': `${tags}, ${etag}` });
  assert.ok(performance.now() - started < 1_000);
});

test('A56 10,000 ETags are more than a head may have: refused, and the server goes on', async () => {
  const tags = Array.from({ length: 10_000 }, (_, index) => `"tag-${index}"`).join(', ');
  const client = await PacedClient.connect(server);
  await client.send(`GET /files/old.bin HTTP/1.1\r\nHost: test\r\nIf-None-Match: ${tags}\r\n\r\n`);
  assert.equal((await client.receiveHead()).status, 431);
  client.close();
  await answers(200, {});
});

test('D-39 a download that was cut is resumed by Range and If-Range (URLSession)', async () => {
  const size = 6 * 1024 * 1024;
  const file = content('resumed', size);
  const target = await store(server, 'resumed.bin', file);
  const client = await PacedClient.openDownload(server, 'resumed.bin');
  const head = await client.receiveHead();
  const received = await client.receive(1_234_567);
  client.reset();
  const response = await fetch(target, {
    headers: { Range: `bytes=${received.length}-`, 'If-Range': head.fields.get('etag') ?? '' },
  });
  assert.equal(response.status, 206);
  assert.ok(Buffer.concat([received, Buffer.from(await response.arrayBuffer())]).equals(file));
});
