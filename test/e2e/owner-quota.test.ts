/** OwnerQuota on the wire: a clear 413 before the body, over all listeners and restarts. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';
import { signDelete, signJwt } from '../support/sign.ts';
import { locationOf, post, remove, VERSION } from '../support/tus-wire.ts';

const DELETE_SECRET = 'the-delete-secret-of-these-tests';
const later = Math.floor(Date.now() / 1_000) + 600;

let folder: string;
let slots = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-quota-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function withServer(settings: TomlSettings, run: (server: ServerProcess) => Promise<void>, storeDir?: string) {
  const server = await ServerProcess.start({
    settings: { OwnerQuota: 1_000, DeleteSecret: DELETE_SECRET, ...settings },
    ...(storeDir === undefined ? {} : { storeDir }),
  });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

function tokenFor(sub: string, slot: string, filesize: number): Readonly<Record<string, string>> {
  return { Authorization: `Bearer ${signJwt(TEST_SECRET, { slot, filename: 'file', filesize, exp: later, sub })}` };
}

async function upload(server: ServerProcess, sub: string, size: number): Promise<number> {
  slots += 1;
  const slot = `slot-${slots}`;
  return (await put(server.port, `/files/${slot}/file`, 'x'.repeat(size), tokenFor(sub, slot, size))).status;
}

test('an upload that would be too much for its owner is 413 before its body is read, and is told', () =>
  withServer({}, async (server) => {
    assert.equal(await upload(server, 'alice@example.com', 600), 201);
    const connection = await RawConnection.open(server.port);
    const fields = { ...tokenFor('alice@example.com', 'large', 100_000), 'Content-Length': '100000' };
    await connection.send(requestBytes('PUT', '/files/large/file', fields));
    const refused = await connection.response();
    assert.deepEqual([refused.status, refused.body.toString()], [413, 'Request Entity Too Large\n']);
    connection.drop();
    assert.equal((await server.event('upload.discarded'))['reason'], 'over_quota');
    assert.equal(await upload(server, 'alice@example.com', 401), 413);
    assert.equal(await upload(server, 'alice@example.com', 400), 201);
    assert.equal(await upload(server, 'bob@example.com', 1_000), 201);
    assert.ok(!JSON.stringify(server.lines).includes('alice@example.com'));
  }));

test('who has no right to upload learns nothing of the quota', () =>
  withServer({}, async (server) => {
    assert.equal(await upload(server, 'alice@example.com', 1_000), 201);
    const claims = { slot: 'x', filename: 'file', filesize: 1, exp: later, sub: 'alice@example.com' };
    const forged = { Authorization: `Bearer ${signJwt('another-secret-of-a-stranger', claims)}` };
    assert.equal((await put(server.port, '/files/x/file', 'x', forged)).status, 403);
  }));

test('users of ejabberd are told apart by their paths, and a deletion gives room back', () =>
  withServer({}, async (server) => {
    const path = (user: string, name: string): string => `${user.repeat(40)}/${'R'.repeat(40)}/${name}`;
    const send = async (key: string, size: number): Promise<number> =>
      (await put(server.port, server.signedTarget(key, size), 'x'.repeat(size))).status;
    assert.equal(await send(path('a', '1'), 700), 201);
    assert.equal(await send(path('a', '2'), 301), 413);
    assert.equal(await send(path('b', '1'), 1_000), 201);
    const key = path('a', '1');
    const deletion = requestBytes('DELETE', `/files/${key}?token=${signDelete(TEST_SECRET, key, DELETE_SECRET)}`);
    assert.equal((await exchange(server.port, deletion)).status, 204);
    assert.equal(await send(path('a', '2'), 301), 201);
    assert.equal(await send('no/user', 5_000), 201);
  }));

test('all listeners count together, and uploads at once cannot overshoot', () =>
  withServer({ Listeners: 2, UploadLanes: 4 }, async (server) => {
    const statuses = await Promise.all(Array.from({ length: 30 }, () => upload(server, 'alice@example.com', 100)));
    assert.equal(statuses.filter((status) => status === 201).length, 10);
    assert.equal(statuses.filter((status) => status === 413).length, 20);
  }));

test('unfinished uploads count from their creation on, so that two at once cannot exceed the quota', () =>
  withServer({ Listeners: 2 }, async (server) => {
    const begin = (slot: string, size: number): Promise<RawResponse> =>
      post(server, `/files/${slot}/file`, {
        ...VERSION,
        ...tokenFor('alice@example.com', slot, size),
        'Upload-Length': String(size),
      });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((slot) => begin(slot, 400)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 413, 413]);
    assert.equal(await upload(server, 'alice@example.com', 201), 413);
    const [made] = answers.filter(({ status }) => status === 201);
    assert.ok(made !== undefined);
    assert.equal((await remove(server, locationOf(made))).status, 204);
    assert.equal(await upload(server, 'alice@example.com', 600), 201);
  }));

test('files of before a start count when the first pass is over, and a limit may be changed while the server runs', async () => {
  const storeDir = join(folder, 'store');
  await withServer({}, async (server) => assert.equal(await upload(server, 'alice@example.com', 900), 201), storeDir);
  await withServer(
    {},
    async (server) => {
      await server.event('expiry.completed');
      assert.equal(await upload(server, 'alice@example.com', 101), 413);
      await reload(server, (text) => text.replace('OwnerQuota = 1000', 'OwnerQuota = 2000'));
      assert.equal(await upload(server, 'alice@example.com', 101), 201);
      assert.equal((await get(server.port, `/files/slot-${slots}/file`)).status, 200);
    },
    storeDir,
  );
});

test('A73 above MaxOpenUploadsPerOwner a creation is 503 with Retry-After, for this owner alone', () =>
  withServer({ MaxOpenUploadsPerOwner: 2 }, async (server) => {
    const createFor = (sub: string, slot: string): Promise<RawResponse> =>
      post(server, `/files/${slot}/file`, { ...VERSION, 'Upload-Length': '3', ...tokenFor(sub, slot, 3) });
    for (const slot of ['open-1', 'open-2']) assert.equal((await createFor('alice@example.com', slot)).status, 201);
    const refused = await createFor('alice@example.com', 'open-3');
    assert.equal(refused.status, 503);
    assert.match(fieldOf(refused, 'retry-after') ?? '', /^[1-9]/);
    assert.equal((await createFor('bob@example.com', 'open-4')).status, 201);
    assert.equal(await upload(server, 'alice@example.com', 3), 201, 'plain uploads go on');
  }));
