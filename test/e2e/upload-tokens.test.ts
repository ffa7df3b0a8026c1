/** Uploads with the token of Prosody's mod_http_file_share: what its claims do to the stored file. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, get, put, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signJwt, signV } from '../support/sign.ts';
import { clockAt } from '../support/standing-clock.ts';
import { publicTreeOf } from '../support/store-state.ts';

const NOW = 1_900_000_000;
const BODY = 'abcde';
const claims = { slot: 'slot', filename: 'a.png', filesize: BODY.length, exp: NOW + 300 };

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-tokens-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function upload(server: ServerProcess, changed: object, type?: string): Promise<RawResponse> {
  const all = { ...claims, ...changed };
  const fields = {
    Authorization: `bearer ${signJwt(TEST_SECRET, all)}`,
    ...(type === undefined ? {} : { 'Content-Type': type }),
  };
  return put(server.port, `/files/${all.slot}/${all.filename}`, BODY, fields);
}

async function withServer(
  options: Parameters<typeof ServerProcess.start>[0],
  run: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await ServerProcess.start(options);
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

test('the type that is stored is the one in the token, whatever the client names (XEP-0363 §5)', () =>
  withServer({ environment: clockAt(NOW) }, async (server) => {
    assert.equal((await upload(server, { filetype: 'image/jpeg' }, 'text/html')).status, 201);
    assert.equal(fieldOf(await get(server.port, '/files/slot/a.png'), 'content-type'), 'image/jpeg');
    assert.equal((await upload(server, { filename: 'b.png' }, 'text/html')).status, 201);
    const served = await get(server.port, '/files/slot/b.png');
    assert.equal(fieldOf(served, 'content-type'), 'application/octet-stream', 'a token without a type');
  }));

test('a file is not found from the time on that its token names, and removed by the next pass', async () => {
  const storeDir = join(folder, 'expiring');
  const expires = NOW + 7_200;
  await withServer({ storeDir, environment: clockAt(NOW) }, async (server) => {
    assert.equal((await upload(server, { expires, sub: 'user@example.com' })).status, 201);
    assert.equal((await get(server.port, '/files/slot/a.png')).body.toString(), BODY);
  });
  await withServer({ storeDir, environment: clockAt(expires - 1) }, async (server) => {
    await server.event('expiry.completed');
    assert.equal((await get(server.port, '/files/slot/a.png')).status, 200, 'one second before its end');
  });
  await withServer({ storeDir, environment: clockAt(expires) }, async (server) => {
    assert.equal((await get(server.port, '/files/slot/a.png')).status, 404);
    await server.event('expiry.completed');
    assert.equal(existsSync(join(storeDir, 'slot/a.png')), false);
  });
});

test('the end that FileTTL sets counts when it comes earlier', async () => {
  const storeDir = join(folder, 'earlier');
  const settings = { FileTTL: '1h' };
  await withServer({ storeDir, settings, environment: clockAt(NOW) }, async (server) => {
    assert.equal((await upload(server, { expires: NOW + 604_800 })).status, 201);
  });
  // The file is as old as this host says: the server's clock is what is far ahead.
  const later = Math.ceil(Date.now() / 1_000) + 3_600;
  await withServer({ storeDir, settings, environment: clockAt(later) }, async (server) => {
    assert.equal((await get(server.port, '/files/slot/a.png')).status, 404);
  });
});

test('AllowedExtensions and MaxUploadSize hold for tokens as well', () =>
  withServer(
    { settings: { AllowedExtensions: ['.png'], MaxUploadSize: 5 }, environment: clockAt(NOW) },
    async (server) => {
      const text = await upload(server, { filename: 'a.txt' });
      assert.deepEqual(
        [text.status, text.body.toString()],
        [403, 'Disallowed file extension. Allowed extensions are: .png\n'],
      );
      const fields = { Authorization: `Bearer ${signJwt(TEST_SECRET, { ...claims, filesize: 6 })}` };
      assert.equal((await put(server.port, '/files/slot/a.png', 'abcdef', fields)).status, 413);
      assert.equal((await upload(server, {})).status, 201);
    },
  ));

test('a signature in the query decides alone; without one a repeated Authorization field is no token', () =>
  withServer({ environment: clockAt(NOW) }, async (server) => {
    const Authorization = `Bearer ${signJwt(TEST_SECRET, claims)}`;
    const wrong = await put(server.port, `/files/slot/a.png?v=${'0'.repeat(64)}`, BODY, { Authorization });
    assert.deepEqual([wrong.status, wrong.body.toString()], [403, 'Invalid MAC\n']);
    const right = `/files/other/b.png?v=${signV(TEST_SECRET, 'other/b.png', BODY.length)}`;
    assert.equal((await put(server.port, right, BODY, { Authorization: 'Bearer nonsense' })).status, 201);
    const twice = requestBytes('PUT', '/files/slot/a.png', { Authorization, authorization: Authorization }, BODY);
    assert.equal((await exchange(server.port, twice)).status, 403);
    assert.equal((await put(server.port, '/files/slot/a.png?v=', BODY, { Authorization })).status, 201);
  }));

test('a slot of a token is used once, and a previous secret verifies tokens too', () =>
  withServer(
    {
      settings: { Secret: 'the-new-secret-of-this-server', PreviousSecrets: [TEST_SECRET] },
      environment: clockAt(NOW),
    },
    async (server) => {
      assert.equal((await upload(server, {})).status, 201);
      const checked = await server.event('signature.checked');
      assert.deepEqual([checked['scheme'], checked['reason'], checked['secret']], ['jwt', 'ok', 'previous']);
      assert.equal((await upload(server, {})).status, 409);
    },
  ));

test('no token, and nothing of it, stands in the log', () =>
  withServer({ environment: clockAt(NOW), settings: { LogLevel: 'trace' } }, async (server) => {
    const token = signJwt(TEST_SECRET, { ...claims, sub: 'user@example.com' });
    const parts = token.split('.');
    assert.equal((await put(server.port, '/files/slot/a.png', BODY, { Authorization: `Bearer ${token}` })).status, 201);
    const bad = `${token.slice(0, -2)}AA`;
    assert.equal((await put(server.port, '/files/slot/a.png', BODY, { Authorization: `Bearer ${bad}` })).status, 403);
    await server.event('signature.refused');
    const log = JSON.stringify(server.lines);
    for (const part of parts) assert.ok(!log.includes(part), part);
    assert.ok(!log.includes('user@example.com'));
    assert.deepEqual(publicTreeOf(server.storeDir), ['slot/', 'slot/a.png']);
  }));
