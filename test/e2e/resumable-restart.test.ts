/** Uploads outlive requests, listeners and the server: handover between threads, SIGTERM in a PATCH, limits, secrecy. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { linesUpToNow } from '../support/log-marker.ts';
import { content } from '../support/paced-transfer.ts';
import { fieldOf, get, RawConnection } from '../support/raw-http.ts';
import { type LogLine, ServerProcess, type TomlSettings } from '../support/server-process.ts';
import {
  appendFields,
  assertNotStored,
  assertStored,
  create,
  head,
  offsetOf,
  patch,
  patchBytes,
  post,
  VERSION,
} from '../support/tus-wire.ts';
import { uploadHas } from '../support/upload-bytes.ts';

const SIZE = 3_000_000;
const SENT = 1_500_000;
const BODY = content('resumable-restart', SIZE);
/** `.<mac>` of an upload URL. */
const CAPABILITY = /\.hfs\/u\/[0-9a-f]{32}\.[\w-]{22}/;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-resumable-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function withServer(
  options: { readonly settings?: TomlSettings; readonly storeDir?: string },
  run: (server: ServerProcess) => Promise<void>,
): Promise<ServerProcess> {
  const server = await ServerProcess.start(options);
  try {
    await run(server);
  } finally {
    await server.stop();
  }
  return server;
}

/** Sends a part of an append; resolves once the server has it. */
async function beginAppend(server: ServerProcess, path: string): Promise<RawConnection> {
  const connection = await RawConnection.open(server.port);
  const bytes = patchBytes(path, appendFields(0), BODY);
  await connection.send(bytes.subarray(0, bytes.length - (SIZE - SENT)));
  await uploadHas(server, path, SENT / 2);
  return connection;
}

async function finish(server: ServerProcess, path: string, key: string): Promise<number> {
  const offset = await offsetOf(server, path);
  assert.equal((await patch(server, path, offset, BODY.subarray(offset))).status, 204);
  await assertStored(server, key, BODY);
  return offset;
}

function ofUpload(lines: readonly LogLine[], path: string): readonly LogLine[] {
  const [, id] = /\/u\/([0-9a-f]{32})/.exec(path) ?? [];
  return lines.filter((line) => line['upload_id'] === id);
}

test('an append that hangs on one listener is taken over by requests on the other', async () => {
  await withServer({ settings: { Listeners: 2 } }, async (server) => {
    // Connections go to the listeners in turn: among four requests in a row both have their share.
    for (let round = 0; round < 4; round += 1) {
      const key = `taken-over-${round}`;
      const path = await create(server, key, SIZE);
      const hanging = await beginAppend(server, path);
      if (round % 2 === 1) await get(server.port, '/files/none');
      const offset = await finish(server, path, key);
      assert.ok(offset >= SENT / 2 && offset <= SENT, `${offset}`);
      await hanging.closed();
      hanging.drop();
      const lines = ofUpload(await linesUpToNow(server), path);
      assert.deepEqual(
        lines.map((line) => line.event),
        ['upload.created', 'upload.suspended', 'upload.completed'],
      );
      assert.equal(lines[1]?.['reason'], 'handover');
    }
  });
});

test('SIGTERM in a PATCH suspends it durably, and the next server goes on where this one says', async () => {
  const storeDir = join(folder, 'terminated');
  let path = '';
  const first = await withServer({ storeDir, settings: { ShutdownTimeout: '0' } }, async (server) => {
    path = await create(server, 'terminated', SIZE);
    const running = await beginAppend(server, path);
    server.kill('SIGTERM');
    assert.deepEqual(await server.exited, { status: 0, signal: null });
    running.drop();
  });
  const suspended = ofUpload(first.lines, path).find((line) => line.event === 'upload.suspended');
  assert.equal(suspended?.['reason'], 'shutdown');
  await withServer({ storeDir }, async (server) => {
    await assertNotStored(server, 'terminated');
    assert.equal(await finish(server, path, 'terminated'), suspended?.['offset']);
  });
});

test('a URL of an upload stays good after its secret became a previous one, and not longer', async () => {
  const storeDir = join(folder, 'rotated');
  let path = '';
  await withServer({ storeDir }, async (server) => {
    path = await create(server, 'rotated', SIZE);
    assert.equal((await patch(server, path, 0, BODY.subarray(0, SENT))).status, 204);
  });
  const secret = 'another-secret-than-before';
  await withServer({ storeDir, settings: { Secret: secret } }, async (server) => {
    assert.equal((await head(server, path)).status, 404);
  });
  const settings = { Secret: secret, PreviousSecrets: ['a-secret-that-only-tests-know'] };
  await withServer({ storeDir, settings }, async (server) => {
    assert.equal(await finish(server, path, 'rotated'), SENT);
  });
});

test('A73 above MaxOpenUploads a creation is 503 with Retry-After, until one of the others is over', async () => {
  await withServer({ settings: { MaxOpenUploads: 2 } }, async (server) => {
    const first = await create(server, 'open-1', 3);
    await create(server, 'open-2', 3);
    const fields = { ...VERSION, 'Upload-Length': '3' };
    const refused = await post(server, server.signedTarget('open-3', 3), fields);
    assert.equal(refused.status, 503);
    assert.match(fieldOf(refused, 'retry-after') ?? '', /^[1-9]/);
    const metrics = (await get(server.metricsPort, '/metrics')).body.toString();
    assert.match(metrics, /^hmac_unfinished_uploads 2$/m);
    assert.equal((await patch(server, first, 0, 'abc')).status, 204);
    await create(server, 'open-3', 3);
  });
});

test('a scrape tells how many unfinished uploads there are and what they hold, after a restart, too', async () => {
  const storeDir = join(folder, 'held-bytes');
  const told = async (server: ServerProcess): Promise<readonly string[]> => {
    const metrics = (await get(server.metricsPort, '/metrics')).body.toString();
    return metrics.match(/^hmac_unfinished_upload.*$/gm)?.filter((line) => !line.includes('expired')) ?? [];
  };
  let path = '';
  await withServer({ storeDir }, async (server) => {
    path = await create(server, 'held-bytes', 1_000);
    await create(server, 'held-nothing', 1_000);
    assert.equal((await patch(server, path, 0, 'x'.repeat(300))).status, 204);
    assert.deepEqual(await told(server), ['hmac_unfinished_uploads 2', 'hmac_unfinished_upload_bytes 300']);
  });
  await withServer({ storeDir }, async (server) => {
    assert.deepEqual(await told(server), ['hmac_unfinished_uploads 2', 'hmac_unfinished_upload_bytes 300']);
    assert.equal((await patch(server, path, 300, 'x'.repeat(700))).status, 204);
    assert.deepEqual(await told(server), ['hmac_unfinished_uploads 1', 'hmac_unfinished_upload_bytes 0']);
  });
});

test('an extension that is no longer allowed ends an upload before its next byte', async () => {
  const storeDir = join(folder, 'stricter');
  let path = '';
  await withServer({ storeDir }, async (server) => {
    path = await create(server, 'a.exe', SIZE);
  });
  await withServer({ storeDir, settings: { AllowedExtensions: ['txt'] } }, async (server) => {
    assert.equal((await patch(server, path, 0, BODY)).status, 403);
    await assertNotStored(server, 'a.exe');
  });
});

test('no log line tells the URL of an upload, whatever was asked of it', async () => {
  const server = await withServer({ settings: { LogLevel: 'trace' } }, async (running) => {
    const path = await create(running, 'secret', 6);
    await head(running, path);
    await patch(running, path, 1, 'abc');
    await patch(running, path, 0, 'abcdef');
    await get(running.port, path);
    await get(running.port, `${path}%20`);
    await get(running.port, `/elsewhere${path}`);
    await head(running, path.replace('/files/.', '/files/%2e'));
    assert.ok((await linesUpToNow(running)).length > 10);
  });
  const log = JSON.stringify(server.lines) + server.errors;
  assert.doesNotMatch(log, CAPABILITY);
  assert.match(log, /\.hfs\/u\/[0-9a-f]{32}\*/);
});
