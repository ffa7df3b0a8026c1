/** AccelRedirectPrefix: a trusted proxy is told where the file lies, everybody else gets its bytes. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content, pathOf, store } from '../support/paced-transfer.ts';
import { exchange, fieldOf, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess } from '../support/server-process.ts';

const BODY = content('redirected', 100_000);
const LONG_KEY = `long/${'n'.repeat(300)}.bin`;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({
    settings: { AccelRedirectPrefix: '/stored-files/', TrustedProxies: ['127.0.0.1'] },
  });
});

after(() => server.stop());

function get(key: string, fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> {
  return exchange(server.port, requestBytes(method, pathOf(server, key), fields), { isToHead: method === 'HEAD' });
}

test('a trusted proxy gets the path of the file in the store, percent-encoded once, and no body', async () => {
  const names = [
    ['a/b.bin', '/stored-files/a/b.bin'],
    ['p/100%25 \u00fc?#.html', '/stored-files/p/100%2525%20%C3%BC%3F%23.html'],
  ] as const;
  for (const [key, path] of names) {
    await store(server, key, BODY);
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(key, { Range: 'bytes=0-0', 'If-None-Match': '*' }, method);
      assert.deepEqual([answer.status, fieldOf(answer, 'x-accel-redirect')], [200, path]);
      assert.deepEqual([fieldOf(answer, 'content-length'), answer.body.length], ['0', 0]);
    }
  }
  const page = await get('p/100%25 \u00fc?#.html');
  assert.match(fieldOf(page, 'content-disposition') ?? '', /^attachment/);
  assert.equal(fieldOf(page, 'content-type'), 'text/html; charset=utf-8');
});

test('what is not there is answered here, and a name that is too long for the disk is served here', async () => {
  assert.equal((await get('none')).status, 404);
  await store(server, LONG_KEY, BODY);
  const answer = await get(LONG_KEY, { Range: 'bytes=10-19' });
  assert.deepEqual([answer.status, fieldOf(answer, 'x-accel-redirect')], [206, null]);
  assert.ok(answer.body.equals(BODY.subarray(10, 20)));
  const head = await get(LONG_KEY, {}, 'HEAD');
  assert.equal(fieldOf(head, 'content-length'), '100000');
});

test('nobody else learns of it', async () => {
  await store(server, 'direct.bin', BODY);
  await reload(server, (text) => text.replace('"127.0.0.1"]', '"192.0.2.1"]'));
  const answer = await get('direct.bin');
  assert.deepEqual([answer.status, fieldOf(answer, 'x-accel-redirect')], [200, null]);
  assert.ok(answer.body.equals(BODY));
});
