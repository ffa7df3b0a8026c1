/** The log under the real logrotate, as deploy/logrotate has it, while requests come: no request fails and no line is lost. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { reload } from '../support/reload.ts';
import { RequestLoad } from '../support/request-load.ts';
import { ServerProcess } from '../support/server-process.ts';
import { shippedFile } from './support/shipped-file.ts';

const ROTATIONS = 3;
const CLIENTS = 8;
const REQUESTS_BETWEEN = 150;

/** A host on which the unit of the server is this process. */
function systemctlFor(server: ServerProcess, folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\n[ "$1" = --quiet ] && exit 0\n[ "$1" = reload ] && exec kill -HUP ${server.pid}\nexit 1\n`;
  writeFileSync(join(bin, 'systemctl'), script);
  chmodSync(join(bin, 'systemctl'), 0o755);
  return `${bin}:/usr/sbin:${process.env['PATH'] ?? ''}`;
}

function linesOf(file: string): readonly string[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  return text.split('\n').filter((line) => line !== '');
}

test('logrotate and SIGHUP under load: no request fails, and every line stands in one of the files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hmac-logrotate-'));
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  const server = await ServerProcess.start({ settings: { LogFile: join(logs, 'server.log') } });
  try {
    const configuration = join(folder, 'logrotate.conf');
    const shipped = shippedFile('logrotate/hmac-file-server', [['/var/log/hmac-file-server/', `${logs}/`]]);
    writeFileSync(configuration, shipped, { mode: 0o644 });
    const environment = { PATH: systemctlFor(server, folder) };
    const load = new RequestLoad({ port: server.port }, CLIENTS);
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      await load.reaches(load.count + REQUESTS_BETWEEN);
      const seen = server.lines.length;
      execFileSync('logrotate', ['--force', '--state', join(folder, 'state'), configuration], { env: environment });
      await server.event('config.reloaded', 10_000, (line) => server.lines.indexOf(line) >= seen);
      // Changes of settings that take effect at once, in the middle of it all.
      await reload(server, (text) => `${text.replace(/MaxUploadSize.*\n/, '')}MaxUploadSize = ${rotation}00000\n`);
    }
    await load.reaches(load.count + REQUESTS_BETWEEN);
    const { failures } = await load.stop();
    assert.deepEqual(failures, []);
  } finally {
    await server.stop();
  }
  const files = readdirSync(logs).sort();
  assert.deepEqual(files, ['server.log', 'server.log.1', 'server.log.2.gz', 'server.log.3.gz']);
  const written = files.flatMap((file) => linesOf(join(logs, file)));
  assert.equal(written.length, server.lines.length);
  for (const line of written) assert.doesNotThrow(() => JSON.parse(line));
  assert.equal(statSync(join(logs, 'server.log')).mode & 0o777, 0o640);
  rmSync(folder, { recursive: true });
});
