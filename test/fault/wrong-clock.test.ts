/** A wall clock that jumps under a running server. Needs libfaketime; the real clock is never changed. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { content, put, sha256, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { FakeClock } from './support/fake-clock.ts';

const KEY = 'folder/file.bin';
const SETTINGS = { EnableVersioning: true, MaxVersions: 10, FileTTL: '30d' };
/** Each jump, and the content that is uploaded after it. */
const jumps = ['+0', '+10y', '-1d', '+2h', '+0'] as const;

function versionsOf(storeDir: string): readonly Buffer[] {
  const hash = sha256(Buffer.from(KEY));
  const folder = join(storeDir, '.hfs/versions', hash.slice(0, 2), hash);
  const ids = readdirSync(folder).filter((name) => /^\d{14}-\d{6}$/.test(name));
  return ids.sort().map((id) => readFileSync(join(folder, id)));
}

/** Another FileTTL makes a pass due. */
function reload(server: ServerProcess, fileTtl: string): void {
  const path = join(server.folder, 'config.toml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/FileTTL = .*/, `FileTTL = "${fileTtl}"`));
  server.kill('SIGHUP');
}

test('F79 a clock that jumps by years and back: no mass expiry, versions stay in order, signatures stay valid', async (t) => {
  const clock = new FakeClock('+0');
  const server = await ServerProcess.start({ settings: SETTINGS, environment: clock.environment });
  try {
    await server.event('expiry.completed');
    const contents = jumps.map((jump, index) => content(`${jump} ${index}`, 10_000));
    const validators = new Set<string | null>();
    let modifiedNs = 0n;
    for (const [index, jump] of jumps.entries()) {
      clock.set(jump);
      const bytes = contents[index] ?? Buffer.alloc(0);
      assert.equal(await put(server, KEY, bytes), 201, `signed without a time, uploaded at ${jump}`);
      const response = await fetch(urlOf(server, KEY));
      assert.equal(response.status, 200, `not expired at ${jump}`);
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
      validators.add(response.headers.get('etag'));
      const { mtimeNs } = statSync(join(server.storeDir, KEY), { bigint: true });
      assert.ok(mtimeNs > modifiedNs, 'each content is later than the one before it');
      modifiedNs = mtimeNs;
    }
    assert.equal(validators.size, jumps.length, 'no validator stands for two contents');
    assert.deepEqual(versionsOf(server.storeDir), contents.slice(0, -1), 'in the order of the uploads');
    t.diagnostic(`F79 the clock at ${jumps.join(', ')}: ${jumps.length} contents in order`);
  } finally {
    await server.stop();
    clock.remove();
  }
});

test('F79 a pass that is due while the clock is ten years ahead removes nothing, and is made up for', async (t) => {
  const clock = new FakeClock('+0');
  const server = await ServerProcess.start({ settings: SETTINGS, environment: clock.environment });
  try {
    await server.event('expiry.completed');
    assert.equal(await put(server, KEY, content('kept', 10_000)), 201);
    clock.set('+10y');
    reload(server, '31d');
    await server.event('expiry.suspended');
    assert.equal((await fetch(urlOf(server, KEY))).status, 200);
    assert.ok(existsSync(join(server.storeDir, KEY)));
    clock.set('+0');
    reload(server, '32d');
    await server.event('expiry.suspended', 10_000, ({ msg }) => msg.startsWith('The clock is right again'));
    assert.ok(existsSync(join(server.storeDir, KEY)));
    assert.deepEqual(
      server.lines.filter(({ event }) => event === 'file.expired'),
      [],
    );
    t.diagnostic('F79 expiry is suspended while the clock is wrong');
  } finally {
    await server.stop();
    clock.remove();
  }
});
