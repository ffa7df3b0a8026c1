/** A81: who may read what the server makes, whatever umask it was started with. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';
import { signV2 } from '../support/sign.ts';
import { eventually, treeOf } from '../support/store-state.ts';

function modeOf(...names: readonly string[]): string {
  return (statSync(join(...names)).mode & 0o7777).toString(8).padStart(4, '0');
}

async function withUmask(
  umask: string,
  settings: TomlSettings,
  run: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await ServerProcess.start({ settings, prefix: ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'] });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

for (const umask of ['000', '077', '777']) {
  test(`A81 under umask ${umask} files are 0640, folders 0750, staging files and records 0600, the log 0640`, async () => {
    await withUmask(umask, { LogFile: './server.log' }, async (server) => {
      const { storeDir } = server;
      const type = 'application/x-recorded';
      const mac = signV2(TEST_SECRET, 'a/b/file', 3, type);
      const response = await put(server.port, `/files/a/b/file?v2=${mac}`, 'abc', { 'Content-Type': type });
      assert.equal(response.status, 201);
      assert.equal(modeOf(storeDir, 'a/b/file'), '0640');
      for (const folder of ['', 'a', 'a/b', '.hfs', '.hfs/staging', '.hfs/records']) {
        assert.equal(modeOf(storeDir, folder), '0750', folder);
      }
      const records = treeOf(storeDir).filter((path) => path.startsWith('.hfs/records/') && path.endsWith('.json'));
      assert.equal(records.length, 1);
      for (const record of records) assert.equal(modeOf(storeDir, record), '0600');
      const connection = await RawConnection.open(server.port);
      await connection.send(requestBytes('PUT', server.signedTarget('half', 6), { 'Content-Length': '6' }), 'abc');
      await eventually(() => server.stagingFiles().length === 1, 'an upload runs');
      for (const name of server.stagingFiles()) assert.equal(modeOf(storeDir, '.hfs/staging', name), '0600');
      connection.drop();
      assert.equal(modeOf(server.folder, 'server.log'), '0640');
    });
  });

  test(`A81 under umask ${umask} the unix socket is 0660`, async () => {
    await withUmask(umask, { ListenPort: './public.sock', UnixSocket: true }, async (server) => {
      assert.equal(modeOf(server.folder, 'public.sock'), '0660');
    });
  });
}
