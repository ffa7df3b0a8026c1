/**
 * The proof of the proof: a judge that finds nothing must be able to find something, a power cut must lose what was not
 * synced, and the enumeration must see every call that the kernel sees.
 */

import assert from 'node:assert/strict';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { writtenWithoutSync } from './support/crash.ts';
import { type CrashSite, crashAtEveryPoint } from './support/crash-points.ts';
import { command } from './support/host.ts';
import { type FileSystemKind, LoopFileSystem } from './support/loop-file-system.ts';
import { creations, type Operation, upload } from './support/operation.ts';
import { startSettled } from './support/settled-server.ts';
import { StoreFaults } from './support/store-faults.ts';
import { judge } from './support/store-judge.ts';
import { changesSeenBy, straceTo } from './support/system-calls.ts';

const [create] = creations as readonly [Operation, ...Operation[]];
const KEY = 'folder/file.bin';
/** More calls than anything makes here. */
const MANY = 1_000_000;

interface Damage {
  readonly what: string;
  readonly make: (storeDir: string) => void;
  readonly finding: RegExp;
}

/** Makes a file and the folders that it lies in. */
function plant(...path: readonly string[]): void {
  const file = join(...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'planted');
}

const hash = sha256(Buffer.from(KEY));
const aa = hash.slice(0, 2);

const damages: readonly Damage[] = [
  {
    what: 'a torn content',
    make: (dir) => truncateSync(join(dir, KEY), 5000),
    finding: /^neither old nor new: 5000 b/,
  },
  { what: 'an empty content', make: (dir) => truncateSync(join(dir, KEY), 0), finding: /^neither old nor new: 0 b/ },
  {
    what: 'a lost content',
    make: (dir) => rmSync(join(dir, KEY)),
    finding: /^answered 201, but the old state is there/,
  },
  {
    what: 'an upload left in staging',
    make: (dir) => plant(dir, '.hfs/staging/0123456789abcdef.0'),
    finding: /^left behind: .hfs\/staging\/0123456789abcdef.0$/,
  },
  {
    what: 'a record of no content',
    make: (dir) => plant(dir, '.hfs/records', aa, hash, '5-5.json'),
    finding: /^left behind: .hfs\/records\/.*\/5-5.json$/,
  },
  {
    what: 'a version of no file',
    make: (dir) => plant(dir, '.hfs/versions', aa, `${aa}${'0'.repeat(62)}`, '00000000000001-000000'),
    finding: /^left behind: .hfs\/versions\//,
  },
  {
    what: 'a version that is the current content',
    make: (dir) => {
      const folder = join(dir, '.hfs/versions', aa, hash);
      mkdirSync(folder, { recursive: true });
      linkSync(join(dir, KEY), join(folder, '00000000000001-000000'));
    },
    finding: /^neither old nor new: .* versions: \[10240 bytes of/,
  },
  {
    what: 'a name that the layout does not have',
    make: (dir) => plant(dir, '.hfs/check.1.b'),
    finding: /^left behind: .hfs\/check.1.b$/,
  },
  {
    what: 'a slot that cannot be used again',
    make: (dir) => {
      renameSync(join(dir, KEY), join(dir, 'moved'));
      mkdirSync(join(dir, KEY));
    },
    finding: /^the slot is dead: the repeated request got 409, not 201$/,
  },
];

describe('the judge', { concurrency: 4 }, () => {
  for (const { what, make, finding } of damages) {
    test(`finds ${what}`, async () => {
      const server = await ServerProcess.start();
      try {
        const answer = await create.run(server, KEY);
        const crashed = { operation: create, key: KEY, answer };
        make(server.storeDir);
        const findings = await judge(server, crashed);
        assert.ok(
          findings.some((text) => finding.test(text)),
          JSON.stringify(findings),
        );
      } finally {
        await server.stop();
      }
    });
  }

  test('finds nothing in a store that is as it should be', async () => {
    const server = await ServerProcess.start();
    try {
      const answer = await create.run(server, KEY);
      assert.deepEqual(await judge(server, { operation: create, key: KEY, answer }), []);
    } finally {
      await server.stop();
    }
  });
});

interface WatchedDisk {
  readonly server: ServerProcess;
  readonly faults: StoreFaults;
  readonly mountPoint: string;
}

/** A server whose calls are told of with what had been written to its disk, and are not struck. */
async function onWatchedDisk(kind: FileSystemKind, durability: string, use: (disk: WatchedDisk) => Promise<void>) {
  const fileSystem = LoopFileSystem.make(kind);
  const { storeDir, mountPoint } = fileSystem;
  const faults = new StoreFaults(storeDir);
  const settings = { Durability: durability };
  try {
    const server = await startSettled({ storeDir, settings, environment: faults.environment });
    try {
      faults.arm({ strike: { type: 'power-cut' }, first: MANY });
      await use({ server, faults, mountPoint });
    } finally {
      await server.stop();
    }
  } finally {
    faults.remove();
    fileSystem.remove();
  }
}

describe('the power cut', { concurrency: 4 }, () => {
  for (const fileSystem of ['ext4', 'xfs'] as const) {
    test(`F09 ${fileSystem}, Durability none: loses what was answered`, async (t) => {
      const site: CrashSite = { operation: create, fileSystem, crash: 'power-cut', settings: { Durability: 'none' } };
      const points = await crashAtEveryPoint(site);
      const last = points.at(-1);
      assert.equal(last?.answer, 201);
      assert.equal(last?.findings.length, 1, JSON.stringify(last));
      t.diagnostic(`F09 none, ${fileSystem}: ${points.length} points, the answered upload is lost, as it must be`);
    });

    test(`F09 ${fileSystem}, Durability file: may lose what was answered, and never tears it`, async (t) => {
      const site: CrashSite = { operation: create, fileSystem, crash: 'power-cut', settings: { Durability: 'file' } };
      const points = await crashAtEveryPoint(site);
      for (const { findings } of points.slice(0, -1)) assert.deepEqual(findings, []);
      const lost = points.at(-1)?.findings ?? [];
      assert.ok(
        lost.every((finding) => /^answered 201, but the old state is there/.test(finding)),
        JSON.stringify(lost),
      );
      t.diagnostic(`F09 file, ${fileSystem}: ${points.length} points, none torn`);
    });
  }
});

describe('the disk between two calls', { concurrency: 4 }, () => {
  for (const kind of ['ext4', 'xfs'] as const) {
    test(`F07 ${kind}: syncs write it, and nothing else does`, async () => {
      await onWatchedDisk(kind, 'full', async ({ server, faults }) => {
        assert.equal(await create.run(server, KEY), 201);
        const calls = await faults.quiet();
        assert.deepEqual(writtenWithoutSync(calls), []);
        assert.ok(new Set(calls.map(({ sectors }) => sectors)).size > 1, 'no sync has written anything');
      });
    });

    test(`F07 ${kind}: what is written without a sync of the server is found`, async () => {
      await onWatchedDisk(kind, 'none', async ({ server, faults, mountPoint }) => {
        assert.equal(await create.run(server, KEY), 201);
        await faults.quiet();
        command('sync', '--file-system', mountPoint);
        assert.equal(await create.run(server, `again/${KEY}`), 201);
        const findings = writtenWithoutSync(await faults.quiet());
        assert.equal(findings.length, 1, JSON.stringify(findings));
      });
    });
  }
});

test('F02 the enumeration misses no call that strace sees', async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hmac-strace-')));
  const storeDir = join(folder, 'store');
  const log = join(folder, 'strace.log');
  const faults = new StoreFaults(storeDir);
  try {
    faults.arm();
    const { environment } = faults;
    const settings = { EnableVersioning: true, MaxVersions: 1 };
    const server = await ServerProcess.start({ storeDir, environment, settings, prefix: straceTo(log) });
    assert.equal(await upload(server, 'plain/file.bin', Buffer.alloc(700_000, 'x')), 201);
    for (const text of ['x', 'y', 'z']) {
      assert.equal(await upload(server, 'typed/file.bin', Buffer.alloc(100_000, text), 'image/x-own'), 201);
    }
    await server.stop();
    const counted = faults.calls().map(({ name }) => name);
    const seen = changesSeenBy(readFileSync(log, 'utf8'), storeDir);
    assert.deepEqual(counted.toSorted(), seen.toSorted());
    t.diagnostic(`F02 strace and the preloaded library agree about ${seen.length} calls`);
  } finally {
    faults.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});
