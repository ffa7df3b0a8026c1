/** nginx in front of the server, as deploy/nginx has it: by TCP and by the unix socket, and sending the files itself. */

import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { fieldOf } from '../support/raw-http.ts';
import { Edge } from './support/edge.ts';
import { bufferedBodies, nginx, nginxWithStore } from './support/proxy-process.ts';
import { testProxy } from './support/proxy-suite.ts';
import { testResumableUploads } from './support/resumable-suite.ts';

for (const transport of ['tcp', 'unix'] as const) {
  testProxy({
    name: `nginx, to the server by ${transport}`,
    prepare: nginx(),
    transport,
    assertUnbuffered: (proxy) => assert.deepEqual(bufferedBodies(proxy), []),
  });
}

const BODY = content('sent by nginx', 3_000_000);

describe('nginx that sends the files itself (deploy/nginx/accel-redirect.conf)', () => {
  let edge: Edge;
  const key = 'a/100%25 & \u00fc.html';

  before(async () => {
    edge = await Edge.start({ prepare: nginxWithStore() }, { AccelRedirectPrefix: '/stored-files/' });
    assert.equal((await edge.put(key, BODY)).status, 201);
  });

  after(() => edge.stop());

  testResumableUploads({ prepare: nginxWithStore() }, () => edge);

  test('the file comes whole, with what the server says of it', async () => {
    const answer = await edge.get(key);
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(BODY));
    assert.equal(fieldOf(answer, 'content-type'), 'text/html; charset=utf-8');
    assert.match(fieldOf(answer, 'content-disposition') ?? '', /^attachment; filename=/);
    assert.match(fieldOf(answer, 'cache-control') ?? '', /immutable/);
    assert.equal(fieldOf(answer, 'x-accel-redirect'), null);
  });

  test('nginx really sends it, and it is inert in a browser all the same', async () => {
    const answer = await edge.get(key);
    const [etag, expected] = [fieldOf(answer, 'etag'), BODY.length.toString(16)];
    assert.match(etag ?? '', new RegExp(`^"[0-9a-f]+-${expected}"$`), 'an ETag of nginx');
    assert.equal(fieldOf(answer, 'x-content-type-options'), 'nosniff');
    assert.match(fieldOf(answer, 'content-security-policy') ?? '', /default-src 'none'.*sandbox/);
    assert.equal(fieldOf(answer, 'access-control-allow-origin'), '*');
  });

  test('ranges and conditions are answered by nginx with its validators', async () => {
    const etag = fieldOf(await edge.get(key), 'etag') ?? '';
    const part = await edge.get(key, { Range: 'bytes=1000-1999', 'If-Range': etag });
    assert.deepEqual([part.status, fieldOf(part, 'content-range')], [206, `bytes 1000-1999/${BODY.length}`]);
    assert.ok(part.body.equals(BODY.subarray(1000, 2000)));
    assert.equal((await edge.get(key, { Range: 'bytes=3000000-' })).status, 416);
    assert.equal((await edge.get(key, { 'If-None-Match': etag })).status, 304);
    assert.equal((await edge.get(key, { 'If-Match': etag })).status, 200);
    assert.equal((await edge.get(key, { 'If-Match': '"other"' })).status, 412);
  });

  test('HEAD has the length and no body', async () => {
    const answer = await edge.exchange(edge.request('HEAD', edge.path(key)), true);
    assert.deepEqual([answer.status, fieldOf(answer, 'content-length')], [200, String(BODY.length)]);
  });

  test('what is not there is 404, also the location itself, the reserved tree and a link', async () => {
    assert.equal((await edge.get('none')).status, 404);
    for (const path of [
      '/stored-files/a/b',
      '/stored-files/.hfs/lock',
      '/files/../stored-files/a/b',
      '/files/.hfs/lock',
    ]) {
      const { status } = await edge.exchange(edge.request('GET', path));
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
    symlinkSync('/etc/passwd', join(edge.server.storeDir, 'link.txt'));
    assert.equal((await edge.get('link.txt')).status, 404);
  });

  test('a name that is too long for the disk is served by the server', async () => {
    const long = `long/${'n'.repeat(300)}.bin`;
    assert.equal((await edge.put(long, BODY)).status, 201);
    assert.ok((await edge.get(long)).body.equals(BODY));
  });
});
