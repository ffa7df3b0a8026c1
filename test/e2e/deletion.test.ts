/** Signed DELETE as Metronome sends it, and what stays of the slot. Each attack's number begins the title of its test. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, get, put, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';
import { signDelete, signJwt, signV, signV2, signV3 } from '../support/sign.ts';
import { settledTree } from '../support/store-state.ts';

const DELETE_SECRET = 'the-delete-secret-of-these-tests';
const BODY = 'abcde';
const SIZE = BODY.length;
const later = Math.floor(Date.now() / 1_000) + 600;

let server: ServerProcess;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-deletion-'));
  server = await ServerProcess.start({ settings: { DeleteSecret: DELETE_SECRET } });
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function deletionOf(key: string, secret = TEST_SECRET, deleteSecret = DELETE_SECRET): string {
  return `/files/${key}?token=${signDelete(secret, key, deleteSecret)}`;
}

function remove(target: string, to = server): Promise<RawResponse> {
  return exchange(to.port, requestBytes('DELETE', target));
}

async function upload(key: string, to = server): Promise<number> {
  return (await put(to.port, to.signedTarget(key, SIZE), BODY)).status;
}

async function withServer(settings: TomlSettings, run: (other: ServerProcess) => Promise<void>): Promise<void> {
  const other = await ServerProcess.start({ settings: { DeleteSecret: DELETE_SECRET, ...settings } });
  try {
    await run(other);
  } finally {
    await other.stop();
  }
}

/** Gives settings of the running server other values. */
async function change(other: ServerProcess, settings: TomlSettings): Promise<void> {
  const names = Object.keys(settings);
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const others = (text: string): readonly string[] =>
    text.split('\n').filter((line) => !names.some((name) => line.startsWith(`${name} =`)));
  await reload(other, (text) => [...others(text), ...lines, ''].join('\n'));
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

test('a signed DELETE removes the file, is answered 204 without a body, and is told', async () => {
  assert.equal(await upload('folder/a.bin'), 201);
  assert.equal((await get(server.port, '/files/folder/a.bin')).status, 200);
  const response = await remove(deletionOf('folder/a.bin'));
  assert.deepEqual([response.status, response.body.length, fieldOf(response, 'content-length')], [204, 0, null]);
  assert.equal(fieldOf(response, 'x-content-type-options'), 'nosniff');
  assert.equal((await get(server.port, '/files/folder/a.bin')).status, 404, 'not from a cache either');
  assert.equal(existsSync(join(server.storeDir, 'folder/a.bin')), false);
  const event = await server.event('file.deleted');
  assert.deepEqual(
    [event.msg, event['size_bytes'], event['versions'], event['freed_bytes']],
    ['File deleted', 5, 0, 5],
  );
  assert.match(String(event['file_id']), /^[0-9a-f]{12}$/);
  assert.equal(await metric('hmac_deletes_total{result="ok"}'), 1);
});

test('a path that is not there is 204 as well, and stays free', async () => {
  for (const key of ['never-there', 'never/there']) assert.equal((await remove(deletionOf(key))).status, 204);
  assert.equal(await upload('never-there'), 201);
  assert.equal((await remove(deletionOf('never-there'))).status, 204);
  assert.equal((await remove(deletionOf('never-there'))).status, 204);
});

test('A40 a replay after deletion is 409, whatever signs it, and after a restart', async () => {
  const storeDir = join(folder, 'restarted');
  const v3 = `/files/gone?v3=${signV3(TEST_SECRET, '/files/gone', later)}&expires=${later}`;
  const attempts = async (to: ServerProcess): Promise<readonly number[]> => {
    const token = {
      Authorization: `Bearer ${signJwt(TEST_SECRET, { slot: 'a', filename: 'gone', filesize: SIZE, exp: later })}`,
    };
    const answers = [
      await put(to.port, to.signedTarget('gone', SIZE), BODY),
      await put(to.port, to.signedTarget('gone', SIZE), 'XXXXX'),
      await put(to.port, `/files/gone?v2=${signV2(TEST_SECRET, 'gone', SIZE, 'x/y')}`, BODY, { 'Content-Type': 'x/y' }),
      await put(to.port, v3, BODY),
      await put(to.port, '/files/a/gone', BODY, token),
    ];
    return answers.map(({ status }) => status);
  };
  const used = [409, 409, 409, 409, 409];
  for (const EnableVersioning of [false, true]) {
    const first = await ServerProcess.start({ storeDir, settings: { DeleteSecret: DELETE_SECRET, EnableVersioning } });
    if (!EnableVersioning) {
      const statuses = await attempts(first);
      assert.deepEqual([statuses[0], statuses[4]], [201, 201]);
      for (const key of ['gone', 'a/gone']) assert.equal((await remove(deletionOf(key), first)).status, 204);
    }
    assert.deepEqual(await attempts(first), used, `versioning ${EnableVersioning}`);
    await first.stop();
  }
});

test('A40 a dropped secret opens the slots of its signatures, and only then', () =>
  withServer({}, async (other) => {
    assert.equal(await upload('gone', other), 201);
    assert.equal((await remove(deletionOf('gone'), other)).status, 204);
    const next = 'the-next-secret-of-this-server';
    const again = `/files/gone?v=${signV(next, 'gone', SIZE)}`;
    await change(other, { Secret: next, PreviousSecrets: [TEST_SECRET] });
    assert.equal((await put(other.port, again, BODY)).status, 409);
    await change(other, { PreviousSecrets: [] });
    assert.equal((await put(other.port, again, BODY)).status, 201);
  }));

test('a deletion takes all old contents along', () =>
  withServer({ EnableVersioning: true, MaxVersions: 5 }, async (other) => {
    for (const body of ['first', 'other', 'third']) {
      assert.equal((await put(other.port, other.signedTarget('versioned', SIZE), body)).status, 201);
    }
    assert.equal((await remove(deletionOf('versioned'), other)).status, 204);
    const event = await other.event('file.deleted');
    assert.deepEqual([event['versions'], event['freed_bytes']], [2, 15]);
    const left = (await settledTree(other)).filter((path) => path.includes('versions/') && !path.endsWith('/'));
    assert.deepEqual(left, []);
  }));

test('a file that is deleted by one listener is not answered from the memory of another', () =>
  withServer({ Listeners: 2 }, async (other) => {
    assert.equal(await upload('hot', other), 201);
    for (let read = 0; read < 20; read += 1) assert.equal((await get(other.port, '/files/hot')).status, 200);
    assert.equal((await remove(deletionOf('hot'), other)).status, 204);
    for (let read = 0; read < 20; read += 1) assert.equal((await get(other.port, '/files/hot')).status, 404);
  }));

test('A42 the signature of an upload deletes nothing, and that of a deletion uploads nothing', async () => {
  const uploads = [
    `v=${signV(TEST_SECRET, 'kept', SIZE)}`,
    `v2=${signV2(TEST_SECRET, 'kept', SIZE, '')}`,
    `token=${signV2(TEST_SECRET, 'kept', SIZE, '')}`,
    `v3=${signV3(TEST_SECRET, '/files/kept', later)}&expires=${later}`,
  ];
  assert.equal(await upload('kept'), 201);
  const before = await settledTree(server);
  for (const query of uploads) {
    const response = await remove(`/files/kept?${query}`);
    assert.deepEqual([response.status, response.body.toString()], [403, 'Invalid MAC\n'], query);
  }
  const token = signJwt(TEST_SECRET, { slot: 'kept', filename: 'x', filesize: SIZE, exp: later });
  const bearer = requestBytes('DELETE', '/files/kept', { Authorization: `Bearer ${token}` });
  assert.equal((await exchange(server.port, bearer)).status, 403);
  assert.equal((await put(server.port, deletionOf('fresh'), BODY)).status, 403);
  for (const method of ['POST', 'PATCH']) {
    assert.equal((await exchange(server.port, requestBytes(method, deletionOf('kept'), {}, BODY))).status, 405, method);
  }
  assert.equal((await remove(deletionOf('other').replace('other', 'kept'))).status, 403, 'of another file');
  assert.deepEqual(await settledTree(server), before);
  assert.equal((await get(server.port, '/files/kept')).body.toString(), BODY);
});

test('A45 the delete secret signs nothing by itself, and deletions follow secrets that are dropped or changed', () =>
  withServer({ PreviousSecrets: ['a-previous-secret-of-theirs'] }, async (other) => {
    for (const key of ['a', 'b', 'c']) assert.equal(await upload(key, other), 201);
    assert.equal((await remove(deletionOf('a', DELETE_SECRET, DELETE_SECRET), other)).status, 403);
    assert.equal((await remove(deletionOf('a', TEST_SECRET, ''), other)).status, 403);
    assert.equal((await remove(deletionOf('a', 'a-previous-secret-of-theirs'), other)).status, 204);
    await change(other, { DeleteSecret: 'another-delete-secret', PreviousSecrets: [] });
    assert.equal(
      (await remove(deletionOf('b', 'a-previous-secret-of-theirs', 'another-delete-secret'), other)).status,
      403,
    );
    assert.equal((await remove(deletionOf('b'), other)).status, 403);
    assert.equal((await remove(deletionOf('b', TEST_SECRET, 'another-delete-secret'), other)).status, 204);
    await change(other, { DeleteSecret: '' });
    assert.equal((await remove(deletionOf('c'), other)).status, 405);
    assert.equal((await get(other.port, '/files/c')).status, 200);
  }));

test('DELETE is among the allowed methods, and is told apart from what it is not', async () => {
  const refused = await exchange(server.port, requestBytes('POST', '/files/x', {}, BODY));
  assert.deepEqual([refused.status, fieldOf(refused, 'allow')], [405, 'OPTIONS, GET, HEAD, PUT, DELETE']);
  assert.equal((await remove('/files/x')).status, 403, 'unsigned');
  assert.equal((await remove('/files/x?token=zz')).body.toString(), 'Invalid MAC encoding\n');
  assert.equal((await remove(`${deletionOf('x')}&token=`)).status, 400);
  assert.equal((await remove('/files/.hfs/format.json?token=')).status, 400);
  assert.equal((await remove('/other/x')).status, 404);
});

test('neither the delete secret nor a MAC of it stands in the log', async () => {
  const target = deletionOf('logged');
  assert.equal((await remove(target)).status, 204);
  assert.equal((await remove(`${target.slice(0, -4)}0000`)).status, 403);
  const refused = await server.event('signature.refused', 10_000, ({ path }) => path === '/files/logged');
  assert.deepEqual([refused['scheme'], refused['reason'], refused['types_tried']], ['delete', 'mismatch', []]);
  const log = JSON.stringify(server.lines);
  assert.ok(!log.includes(DELETE_SECRET) && !log.includes(target.slice(-64)));
});

test('a file that is answered from memory is answered to nobody once its DELETE is', async () => {
  assert.equal(await upload('hot.bin'), 201);
  const statuses = async (): Promise<ReadonlySet<number>> => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(server.port, '/files/hot.bin')));
    return new Set(answers.map(({ status }) => status));
  };
  assert.deepEqual(await statuses(), new Set([200]));
  assert.deepEqual(await statuses(), new Set([200]));
  assert.equal((await remove(deletionOf('hot.bin'))).status, 204);
  assert.deepEqual(await statuses(), new Set([404]));
});
