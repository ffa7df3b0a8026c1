/** An honest client on a slow network, when there is no crowd: whatever the kernel shows of its progress, it is served. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { content, sha256, store } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { behindLink, insideOf, widenLink } from './support/slow-link.ts';
import { SlowReader } from './support/slow-reader.ts';

const BYTES_PER_SECOND = 2_000;
/** More than the link and the kernel take in that time. */
const BODY = content('slow link', 1_000_000);
/** Longer than a reader may take nothing. */
const SLOW_MS = 70_000;
/** The link decides. */
const AS_IT_COMES = 100_000;

let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-slow-link-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

test(`Slow: an honest reader on a link of ${BYTES_PER_SECOND} bytes a second is served for as long as it takes`, async () => {
  const storeDir = join(folder, 'store');
  const writer = await ServerProcess.start({ storeDir });
  try {
    await store(writer, 'file', BODY);
  } finally {
    await writer.stop();
  }

  const server = await ServerProcess.start({ storeDir, prefix: behindLink(BYTES_PER_SECOND) });
  try {
    const order = { server, key: 'file', address: '127.0.0.1', bytesPerSecond: AS_IT_COMES };
    const reader = await SlowReader.start(order, insideOf(server));
    await delay(SLOW_MS);
    assert.deepEqual(
      server.lines.filter(({ event = '' }) => /^request\.(?:completed|failed)$/.test(event)),
      [],
      'it is still being served',
    );
    await widenLink(server);
    assert.equal((await reader.end()).sha256, sha256(BODY));
  } finally {
    await server.stop();
  }
});
