/** Limits on uploads: size, extension, number at once, room on the disk. Each is refused before the body is read. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, fieldOf, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, type TomlSettings } from '../support/server-process.ts';
import { eventually, publicTreeOf, settledTree } from '../support/store-state.ts';

async function withServer(settings: TomlSettings, run: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await ServerProcess.start({ settings });
  try {
    await run(server);
    await settledTree(server);
  } finally {
    await server.stop();
  }
}

/** The answer to a head alone: whoever refuses needs no body. */
function headAlone(server: ServerProcess, key: string, size: number): Promise<RawResponse> {
  const fields = { 'Content-Length': String(size) };
  return exchange(server.port, requestBytes('PUT', server.signedTarget(key, size), fields));
}

function assertText(response: RawResponse, status: number, text: string): void {
  assert.deepEqual([response.status, response.body.toString()], [status, `${text}\n`]);
  assert.equal(fieldOf(response, 'content-type'), 'text/plain; charset=utf-8');
  assert.equal(fieldOf(response, 'access-control-allow-origin'), '*');
}

test('A72 above MaxUploadSize an upload is 413 before its body; at it, it is stored', async () => {
  await withServer({ MaxUploadSize: 1_000 }, async (server) => {
    assert.equal((await put(server.port, server.signedTarget('at', 1_000), Buffer.alloc(1_000))).status, 201);
    for (const size of [1_001, 4_294_967_296, 999_999_999_999_999, 9_007_199_254_740_992]) {
      assertText(await headAlone(server, `above-${size}`, size), 413, 'Request Entity Too Large');
    }
    const huge = requestBytes('PUT', server.signedTarget('x', 1), { 'Content-Length': `1${'0'.repeat(17)}` });
    assertText(await exchange(server.port, huge), 413, 'Request Entity Too Large');
    assert.deepEqual(publicTreeOf(server.storeDir), ['at']);
  });
});

test('an extension that is not allowed is 403 with the list, an allowed one is stored in any case', async () => {
  await withServer({ AllowedExtensions: ['.txt', 'PDF'] }, async (server) => {
    for (const key of ['a.txt', 'a.TXT', 'b.pdf', 'a.b.Pdf', '.txt']) {
      assert.equal((await put(server.port, server.signedTarget(key, 3), 'abc')).status, 201, key);
    }
    const before = publicTreeOf(server.storeDir);
    const keys = ['a.exe', 'a', 'txt', 'a.txt.exe', 'a.txt/b', 'a.', 'a.tx', 'a.pdf '];
    for (const response of await Promise.all(keys.map((key) => headAlone(server, key, 3)))) {
      assertText(response, 403, 'Disallowed file extension. Allowed extensions are: .txt, .pdf');
    }
    assert.deepEqual(publicTreeOf(server.storeDir), before);
    const line = await server.event('upload.refused');
    assert.equal(line.msg, 'Attempted upload with disallowed file extension');
  });
});

test('without a signature the limits are not told', async () => {
  await withServer({ AllowedExtensions: ['txt'], MaxUploadSize: 10 }, async (server) => {
    const targets = ['/files/a.exe', '/files/a.exe?v=zz', '/files/a.txt'];
    const requests = targets.map((target) => requestBytes('PUT', target, { 'Content-Length': '100' }));
    for (const response of await Promise.all(requests.map((request) => exchange(server.port, request)))) {
      assert.equal(response.status, 403);
      assert.match(response.body.toString(), /^(?:No HMAC|Invalid MAC encoding)/);
    }
  });
});

test('A74 above MaxConcurrentUploads an upload is 503 with Retry-After, until one of the others has ended', async () => {
  await withServer({ MaxConcurrentUploads: 2 }, async (server) => {
    const open = async (key: string): Promise<RawConnection> => {
      const connection = await RawConnection.open(server.port);
      await connection.send(requestBytes('PUT', server.signedTarget(key, 6), { 'Content-Length': '6' }), 'abc');
      return connection;
    };
    const running = [await open('first'), await open('second')];
    await eventually(() => server.stagingFiles().length === 2, 'two uploads run');
    const refused = await headAlone(server, 'third', 6);
    assertText(refused, 503, 'Server busy. Try again later.');
    assert.match(fieldOf(refused, 'retry-after') ?? '', /^[1-9][0-9]*$/);
    await server.event('pool.saturated');
    assert.equal((await exchange(server.port, requestBytes('GET', '/files/missing'))).status, 404);
    await running[0]?.send('def');
    assert.equal((await running[0]?.response())?.status, 201);
    assert.equal((await put(server.port, server.signedTarget('third', 3), 'abc')).status, 201);
    running[1]?.drop();
    // Its file is gone from there before its place is free.
    await server.event('upload.suspended');
    for (const connection of running) connection.drop();
    const more = [await open('fourth'), await open('fifth')];
    await eventually(() => server.stagingFiles().length === 2, 'both places are free again');
    for (const connection of more) connection.drop();
  });
});

test('an upload for which there would not be room is 507 before its body, and the store stays up', async () => {
  await withServer({ MinFreeSpace: 9_007_199_254_740_991 }, async (server) => {
    assertText(await headAlone(server, 'no-room', 3), 507, 'Insufficient Storage');
    assert.deepEqual(publicTreeOf(server.storeDir), []);
    const ready = await exchange(server.metricsPort, requestBytes('GET', '/readyz'));
    assert.equal(ready.status, 200);
  });
});
