/** A disk that is much slower than its clients. Needs root, and a control group that can slow a disk down. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { content, put } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { throttleWrites } from './support/disk-throttle.ts';
import { LoopFileSystem } from './support/loop-file-system.ts';

const MIB = 1024 ** 2;
const UPLOADS = 50;
const MAX_RESIDENT_BYTES = 300 * MIB;
const LOOK_MS = 100;

test('F29 50 uploads to a disk of 2 MB/s: each ends, and memory stays below 300 MB', async (t) => {
  const fileSystem = LoopFileSystem.make('ext4');
  try {
    const server = await ServerProcess.start({ storeDir: fileSystem.storeDir, settings: { MinFreeInodes: 0 } });
    const { pid } = server;
    const release = throttleWrites({ pid, device: fileSystem.device, bytesPerSecond: 2 * MIB });
    let residentBytes = 0;
    const looking = setInterval(() => {
      residentBytes = Math.max(residentBytes, server.residentBytes());
    }, LOOK_MS);
    try {
      const startedMs = performance.now();
      const bodies = Array.from({ length: UPLOADS }, (_, index) => content(`slow ${index}`, 300_000));
      const answers = await Promise.all(bodies.map((bytes, index) => put(server, `slow-${index}.bin`, bytes)));
      const seconds = (performance.now() - startedMs) / 1000;
      assert.deepEqual(new Set(answers), new Set([201]));
      assert.ok(seconds > 4, `${seconds} s: the disk is not slow`);
      assert.ok(residentBytes < MAX_RESIDENT_BYTES, `${residentBytes} bytes resident`);
      t.diagnostic(`F29 15 MB took ${seconds.toFixed(1)} s, at most ${Math.round(residentBytes / MIB)} MiB resident`);
    } finally {
      clearInterval(looking);
      server.kill('SIGKILL');
      await server.stop();
      release();
    }
  } finally {
    fileSystem.remove();
  }
});
