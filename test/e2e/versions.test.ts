/** Uploads to a name that is taken, on the wire: used slots without versioning, versions with it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, put, sha256, urlOf } from '../support/paced-transfer.ts';
import { RawConnection, requestBytes } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess } from '../support/server-process.ts';
import { treeOf } from '../support/store-state.ts';
import { versionContentsOf, versionIdsOf } from '../support/version-files.ts';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { EnableVersioning: true, MaxVersions: 1_000 } });
});

after(() => server.stop());

async function currentOf(key: string): Promise<{ readonly etag: string | null; readonly body: Buffer }> {
  const response = await fetch(urlOf(server, key));
  assert.equal(response.status, 200);
  return { etag: response.headers.get('etag'), body: Buffer.from(await response.arrayBuffer()) };
}

/** Two uploads whose bodies end at the same moment; resolves to their answers. */
async function putTogether(at: ServerProcess, key: string, bodies: readonly Buffer[]): Promise<readonly number[]> {
  const uploads = await Promise.all(
    bodies.map(async (body) => {
      const connection = await RawConnection.open(at.port);
      const head = requestBytes('PUT', at.signedTarget(key, body.length), { 'Content-Length': String(body.length) });
      await connection.send(head, body.subarray(0, -1));
      return { connection, last: body.subarray(-1) };
    }),
  );
  const responses = uploads.map(async ({ connection, last }) => {
    await connection.send(last);
    const { status } = await connection.finalResponse();
    connection.drop();
    return status;
  });
  return Promise.all(responses);
}

test('F74 of two uploads to one name without versioning exactly one is 201 and the other 409', async () => {
  const plain = await ServerProcess.start();
  try {
    for (let round = 0; round < 20; round += 1) {
      const bodies = [content(`first ${round}`, 3_000), content(`second ${round}`, 3_000)];
      const statuses = await putTogether(plain, `f74/${round}`, bodies);
      assert.deepEqual([...statuses].sort(), [201, 409]);
      const winner = bodies[statuses.indexOf(201)];
      assert.ok(winner?.equals(readFileSync(join(plain.storeDir, `f74/${round}`))));
    }
    assert.deepEqual(plain.stagingFiles(), []);
    assert.deepEqual(
      treeOf(plain.storeDir).filter((path) => path.startsWith('.hfs/versions/') && !path.endsWith('/')),
      [],
    );
  } finally {
    await plain.stop();
  }
});

test('F75 of two uploads to one name at the same moment both are kept, in the order of their answers', async () => {
  for (let round = 0; round < 50; round += 1) {
    const bodies = [content(`a ${round}`, 2_000), content(`b ${round}`, 2_000)];
    assert.deepEqual(await putTogether(server, `f75/${round}`, bodies), [201, 201]);
    const [old, ...others] = versionContentsOf(server.storeDir, `f75/${round}`);
    const { body } = await currentOf(`f75/${round}`);
    assert.deepEqual(others, []);
    assert.deepEqual([old, body].map((bytes) => sha256(bytes ?? Buffer.alloc(0))).sort(), bodies.map(sha256).sort());
  }
});

test('F75 many uploads to one name at once are all 201, each content is found, and no id is given twice', async () => {
  const bodies = Array.from({ length: 200 }, (_, index) => content(`crowd ${index}`, 1_000 + index));
  const statuses = await Promise.all(bodies.map((body) => put(server, 'crowd', body)));
  assert.ok(statuses.every((status) => status === 201));
  const ids = versionIdsOf(server.storeDir, 'crowd');
  assert.equal(ids.length, 199);
  const { body } = await currentOf('crowd');
  const found = [...versionContentsOf(server.storeDir, 'crowd'), body].map(sha256);
  assert.deepEqual(found.toSorted(), bodies.map(sha256).sort());
  await server.event('version.rotated', 10_000, (line) => line['versioned_as'] === ids.at(-1));
});

test('uploads one after the other become versions in their order', async () => {
  const bodies = Array.from({ length: 5 }, (_, index) => content(`order ${index}`, 500));
  for (const body of bodies) assert.equal(await put(server, 'order', body), 201);
  assert.deepEqual(versionContentsOf(server.storeDir, 'order').map(sha256), bodies.slice(0, 4).map(sha256));
  const [first] = versionIdsOf(server.storeDir, 'order');
  const line = await server.event('version.rotated', 10_000, (found) => found['versioned_as'] === first);
  assert.deepEqual([line.msg, line['original'], line['size_bytes']], ['Versioned old file', 'order', 500]);
});

test('A39 a URL used again with the same content is 201 and changes nothing, however often', async () => {
  const body = content('replay', 70_000);
  assert.equal(await put(server, 'replay', content('before', 70_000)), 201);
  assert.equal(await put(server, 'replay', body), 201);
  const { etag } = await currentOf('replay');
  const ids = versionIdsOf(server.storeDir, 'replay');
  assert.equal(ids.length, 1);
  const statuses = await Promise.all(Array.from({ length: 50 }, () => put(server, 'replay', body)));
  assert.ok(statuses.every((status) => status === 201));
  assert.deepEqual(versionIdsOf(server.storeDir, 'replay'), ids);
  assert.equal((await currentOf('replay')).etag, etag);
});

test('no URL leads to a version', async () => {
  await put(server, 'private', content('one', 10));
  await put(server, 'private', content('two', 10));
  const [path = ''] = treeOf(server.storeDir).filter((found) =>
    found.endsWith(versionIdsOf(server.storeDir, 'private')[0] ?? '?'),
  );
  assert.ok(path.startsWith('.hfs/versions/'));
  for (const spelling of [path, path.toUpperCase(), path.replace('.', '%2e')]) {
    assert.ok([400, 404].includes((await fetch(`${server.origin}/files/${spelling}`)).status), spelling);
  }
});

test('MaxVersions is read again with SIGHUP and counts from the next upload on; 0 keeps none', async () => {
  const own = await ServerProcess.start({ settings: { EnableVersioning: true, MaxVersions: 3 } });
  try {
    const upload = async (text: string): Promise<void> => assert.equal(await put(own, 'file', content(text, 100)), 201);
    const kept = (): readonly string[] => versionContentsOf(own.storeDir, 'file').map(sha256);
    const hashes = (...texts: readonly string[]): readonly string[] => texts.map((text) => sha256(content(text, 100)));
    for (const text of ['1', '2', '3', '4', '5']) await upload(text);
    assert.deepEqual(kept(), hashes('2', '3', '4'));
    const line = await reload(own, (text) => text.replace('MaxVersions = 3', 'MaxVersions = 1'));
    assert.deepEqual([line['changed'], line['need_restart']], [['MaxVersions'], []]);
    assert.deepEqual(kept(), hashes('2', '3', '4'));
    await upload('6');
    assert.deepEqual(kept(), hashes('5'));
    await reload(own, (text) => text.replace('MaxVersions = 1', 'MaxVersions = 0'));
    const [last] = versionIdsOf(own.storeDir, 'file');
    await upload('7');
    assert.deepEqual(kept(), []);
    await upload('8');
    assert.deepEqual(kept(), []);
    const metrics = await (await fetch(`${own.operatorOrigin}/metrics`)).text();
    assert.match(metrics, /^hmac_versions_created_total 5$/m);
    assert.match(metrics, /^hmac_versions_removed_total 5$/m);
    const removed = await own.event('version.removed', 10_000, ({ file }) => file === last);
    assert.deepEqual([removed.msg, removed['original']], ['Removed old version', 'file']);
  } finally {
    await own.stop();
  }
});

test('F10 a MaxVersions that is lower at the next start removes what is too much', async () => {
  const storeDir = join(server.folder, 'restarted');
  const first = await ServerProcess.start({ storeDir, settings: { EnableVersioning: true, MaxVersions: 5 } });
  const bodies = Array.from({ length: 5 }, (_, index) => content(`restart ${index}`, 300));
  for (const body of bodies) assert.equal(await put(first, 'a/file', body), 201);
  await first.stop();
  const ids = versionIdsOf(storeDir, 'a/file');
  const second = await ServerProcess.start({ storeDir, settings: { EnableVersioning: true, MaxVersions: 2 } });
  try {
    const line = await second.event('version.removed', 10_000, ({ file }) => file === ids[1]);
    assert.equal(line['original'], 'a/file');
    assert.deepEqual(versionContentsOf(storeDir, 'a/file').map(sha256), bodies.slice(2, 4).map(sha256));
  } finally {
    await second.stop();
  }
});
