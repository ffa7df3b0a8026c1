/** `versions`, `restore` and `scrub` as an operator runs them: beside the server, and when it has stopped. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { flipBit } from '../support/decay.ts';
import { content, put, sha256, store, urlOf } from '../support/paced-transfer.ts';
import { projectRoot } from '../support/project-root.ts';
import { ServerProcess } from '../support/server-process.ts';
import { versionFileOf, versionIdsOf } from '../support/version-files.ts';

const SETTINGS = { EnableVersioning: true, MaxVersions: 50, StoreDigest: true };

let folder: string;
let server: ServerProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-store-commands-'));
  server = await ServerProcess.start({ settings: SETTINGS });
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the built program on the store of this server. */
function command(of: ServerProcess, ...args: readonly string[]): Promise<Ran> {
  const entry = join(projectRoot, 'dist/src/main/entry.cjs');
  const [name = '', ...rest] = args;
  const argv = [entry, name, '--config', join(of.folder, 'config.toml'), ...rest];
  return new Promise((resolve) => {
    execFile(process.execPath, argv, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('versions lists what is kept beside the running server, as a table and as JSON', async () => {
  for (const text of ['one', 'two', 'three']) await put(server, 'listed/file', content(text, 100));
  const ids = versionIdsOf(server.storeDir, 'listed/file');
  const table = await command(server, 'versions', 'listed/file');
  assert.equal(table.status, 0);
  const rows = table.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(
    rows.map(([id, , size]) => [id, size]),
    [
      ['ID', 'SIZE'],
      [ids[0], '100'],
      [ids[1], '100'],
      ['current', '100'],
    ],
  );
  const json = JSON.parse((await command(server, 'versions', '--json', 'listed/file')).stdout);
  assert.equal(json.current.sha256, sha256(content('three', 100)));
  assert.deepEqual(
    json.versions.map((version: { id: string; sha256: string }) => [version.id, version.sha256]),
    [
      [ids[0], sha256(content('one', 100))],
      [ids[1], sha256(content('two', 100))],
    ],
  );
  const none = await command(server, 'versions', 'listed/none');
  assert.deepEqual([none.status, none.stdout], [1, '']);
  assert.match(none.stderr, /there is no file listed\/none/);
});

test('restore says who holds the store while the server runs, and changes nothing', async () => {
  for (const text of ['one', 'two']) await put(server, 'held', content(text, 100));
  const [id = ''] = versionIdsOf(server.storeDir, 'held');
  const { status, stdout, stderr } = await command(server, 'restore', 'held', id);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^StoreDir .* is in use by .+/);
  assert.deepEqual(versionIdsOf(server.storeDir, 'held'), [id]);
  assert.equal(await put(server, 'held', content('three', 100)), 201, 'the server is none the worse for it');
});

test('a version that is restored while the server is stopped is what it serves afterwards', async () => {
  const storeDir = join(folder, 'restored');
  const first = await ServerProcess.start({ storeDir, settings: SETTINGS });
  const bodies = ['one', 'two', 'three'].map((text) => content(text, 5_000));
  for (const body of bodies) assert.equal(await put(first, 'a/file', body), 201);
  const etag = (await fetch(urlOf(first, 'a/file'))).headers.get('etag');
  await first.stop();
  const second = await ServerProcess.start({ storeDir, settings: SETTINGS });
  const [id = ''] = versionIdsOf(storeDir, 'a/file');
  second.kill('SIGTERM');
  await second.exited;
  const { status, stdout, stderr } = await command(second, 'restore', 'a/file', id);
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    new RegExp(`^a/file is the content of version ${id} now, 5000 bytes\nwhat it replaced is version `),
  );
  const unknown = await command(second, 'restore', 'a/file', '00000000000000-000000');
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /has no version 00000000000000-000000; "hmac-file-server versions a\/file" lists them/);
  await second.stop();
  const third = await ServerProcess.start({ storeDir, settings: SETTINGS });
  try {
    const response = await fetch(urlOf(third, 'a/file'));
    assert.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(bodies[0] ?? Buffer.alloc(0)));
    assert.notEqual(response.headers.get('etag'), etag);
    assert.equal(versionIdsOf(storeDir, 'a/file').length, 3);
  } finally {
    await third.stop();
  }
});

test('F34 scrub beside the running server finds the files whose bits have flipped, and only those', async () => {
  const body = content('scrubbed', 300_000);
  for (const name of ['whole', 'flipped', 'versioned']) await store(server, `scrub/${name}`, body);
  await put(server, 'scrub/versioned', content('newer', 300_000));
  const [id = ''] = versionIdsOf(server.storeDir, 'scrub/versioned');
  const clean = await command(server, 'scrub');
  assert.equal(clean.status, 0, clean.stdout);
  assert.match(clean.stdout, /^\d+ contents, \d+ bytes read: all as they were stored\n$/);
  flipBit(join(server.storeDir, 'scrub/flipped'), 123_456);
  flipBit(versionFileOf(server.storeDir, 'scrub/versioned', id), 7);
  const found = await command(server, 'scrub');
  assert.equal(found.status, 1);
  assert.match(
    found.stdout,
    /^scrub\/flipped: bits have flipped\n {2}expected [0-9a-f]{64}\n {2}found {4}[0-9a-f]{64}$/m,
  );
  assert.match(found.stdout, new RegExp(`^scrub/versioned, version ${id}: bits have flipped$`, 'm'));
  assert.match(found.stdout, /: 2 damaged\n$/);
  const json = JSON.parse((await command(server, 'scrub', '--json')).stdout);
  const flipped = json.damaged.find(({ path }: { path: string }) => path === 'scrub/flipped');
  assert.deepEqual(flipped, {
    path: 'scrub/flipped',
    version: null,
    reason: 'flipped',
    expected_sha256: sha256(body),
    found_sha256: sha256(readFileSync(join(server.storeDir, 'scrub/flipped'))),
  });
  assert.equal(json.damaged.length, 2);
});

test('F34 files that are replaced while they are scrubbed are no damage', async () => {
  const busy = await ServerProcess.start({ settings: { ...SETTINGS, MaxVersions: 2, Durability: 'none' } });
  try {
    let isOver = false;
    let uploads = 0;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let index = 0; !isOver; index += 1) {
        assert.equal(await put(busy, `busy/${index % 20}`, content(`${writer} ${index}`, 50_000)), 201);
        uploads += 1;
      }
    });
    for (let round = 0; round < 5; round += 1) {
      const { status, stdout, stderr } = await command(busy, 'scrub');
      assert.equal(status, 0, stdout + stderr);
    }
    isOver = true;
    await Promise.all(writers);
    assert.ok(uploads > 100, `${uploads} uploads`);
  } finally {
    await busy.stop();
  }
});

test('without a store, and with a path that is none, the commands say what is wrong', async () => {
  const missing = join(folder, 'missing');
  const spare = await ServerProcess.start({ storeDir: missing, settings: SETTINGS });
  spare.kill('SIGTERM');
  await spare.exited;
  rmSync(missing, { recursive: true });
  for (const args of [['versions', 'a'], ['restore', 'a', '00000000000000-000000'], ['scrub']]) {
    const { status, stderr } = await command(spare, ...args);
    assert.equal(status, 1);
    assert.match(stderr, /^StoreDir .*missing: ENOENT /);
  }
  const outside = await command(spare, 'versions', '../etc/passwd');
  assert.equal(outside.status, 2);
  assert.match(outside.stderr, /PATH is no name that the server stores/);
  await spare.stop();
});
