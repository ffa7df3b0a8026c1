/**
 * A small file system of its own in a sparse image: it can lose its power, and it is gone after `remove`, whatever
 * happened to it. The image lies in memory, so that the tests break no real disk and wait for none. Needs root.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './host.ts';

export type FileSystemKind = 'ext4' | 'xfs' | 'btrfs';

/** What is durable here without a sync is luck: no flush behind the back, and no commit by the clock. */
const shapes: Readonly<Record<FileSystemKind, { bytes: number; make: readonly string[]; options: string }>> = {
  ext4: {
    bytes: 256 * 1024 ** 2,
    make: ['mkfs.ext4', '-q', '-F'],
    options: 'noauto_da_alloc,commit=300,noinit_itable',
  },
  xfs: { bytes: 512 * 1024 ** 2, make: ['mkfs.xfs', '-q'], options: 'rw' },
  btrfs: { bytes: 256 * 1024 ** 2, make: ['mkfs.btrfs', '-q'], options: 'rw' },
};

export interface LoopOptions {
  /** Room for the image itself, as for `mount -t tmpfs -o size=`: less than the file system promises, if wanted. */
  readonly memory?: string;
  readonly makeOptions?: readonly string[];
  readonly mountOptions?: string;
}

export class LoopFileSystem {
  readonly kind: FileSystemKind;
  readonly mountPoint: string;
  private readonly folder: string;
  private readonly options: LoopOptions;
  private isMounted = false;

  private constructor(kind: FileSystemKind, options: LoopOptions) {
    this.kind = kind;
    this.options = options;
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), `hmac-${kind}-`)));
    this.mountPoint = join(this.folder, 'mounted');
  }

  /** Makes and mounts one. */
  static make(kind: FileSystemKind, options: LoopOptions = {}): LoopFileSystem {
    const made = new LoopFileSystem(kind, options);
    try {
      made.format();
      made.mount();
      return made;
    } catch (error) {
      made.remove();
      throw error;
    }
  }

  /** Where the server's store lies. */
  get storeDir(): string {
    return join(this.mountPoint, 'store');
  }

  get image(): string {
    return join(this.imageFolder, 'image');
  }

  /** The loop device, such as `/dev/loop3`. */
  get device(): string {
    return command('findmnt', '-n', '-o', 'SOURCE', this.mountPoint).trim();
  }

  /** All that was not synced is gone, and every later call fails, until `remount`. */
  cutPower(): void {
    command('xfs_io', '-x', '-c', 'shutdown', this.mountPoint);
  }

  /** What a machine does when its power is back: mounts what is on the disk. Nobody may have a file open in it. */
  remount(): void {
    this.unmount();
    this.mount();
  }

  mount(): void {
    const options = ['loop', shapes[this.kind].options, this.options.mountOptions].filter((part) => part !== undefined);
    command('mount', '-t', this.kind, '-o', options.join(','), this.image, this.mountPoint);
    this.isMounted = true;
  }

  unmount(): void {
    command('umount', this.mountPoint);
    this.isMounted = false;
  }

  /** Throws when the file system itself is broken: then it is not the server that lost something. */
  check(): void {
    this.unmount();
    if (this.kind === 'ext4') command('fsck.ext4', '-f', '-n', this.image);
    if (this.kind === 'xfs') command('xfs_repair', '-n', this.image);
    this.mount();
  }

  /** Never throws, so that nothing is left after a failed test either. */
  remove(): void {
    if (this.isMounted) spawnSync('umount', ['--lazy', this.mountPoint]);
    spawnSync('umount', ['--lazy', this.imageFolder]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get imageFolder(): string {
    return join(this.folder, 'images');
  }

  private format(): void {
    const { bytes, make } = shapes[this.kind];
    for (const path of [this.mountPoint, this.imageFolder]) mkdirSync(path);
    command('mount', '-t', 'tmpfs', '-o', `size=${this.options.memory ?? '512m'}`, 'none', this.imageFolder);
    writeFileSync(this.image, '');
    truncateSync(this.image, bytes);
    const [name = '', ...args] = make;
    command(name, ...args, ...(this.options.makeOptions ?? []), this.image);
    if (statSync(this.image).size !== bytes) throw new Error(`${name} changed the size of its image`);
  }
}
