/**
 * What the machine must offer: root, Linux, and programs of Debian packages. Whatever is missing fails, and says what
 * to install: a promise about crashes that nobody checks is worth nothing.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The Debian package of each program that the tests run. */
const packages: Readonly<Record<string, string>> = {
  findmnt: 'util-linux',
  'fsck.ext4': 'e2fsprogs',
  btrfs: 'btrfs-progs',
  fsfreeze: 'util-linux',
  gcc: 'gcc libc6-dev',
  'mkfs.btrfs': 'btrfs-progs',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  mount: 'mount',
  strace: 'strace',
  umount: 'mount',
  unshare: 'util-linux',
  xfs_io: 'xfsprogs',
  xfs_repair: 'xfsprogs',
};

/** Runs a program and answers its output. Throws with its words when it fails, and with its package when it is missing. */
export function command(name: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`${name} cannot be run: install ${packages[name] ?? name}`, { cause: error });
  if (status !== 0)
    throw new Error(`${name} ${args.join(' ')} ended with ${status}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** What is missing on this machine, one sentence each. */
export function missingOnHost(): readonly string[] {
  if (process.platform !== 'linux') return ['the fault tests need Linux'];
  if (process.geteuid?.() !== 0) return ['the fault tests mount file systems: run them as root'];
  const missing = Object.entries(packages).filter(([name]) => spawnSync('which', [name]).status !== 0);
  const programs = missing.map(([name, debian]) => `${name} is missing: apt-get install ${debian}`);
  return fakeTimeLibrary() === null ? [...programs, 'libfaketime is missing: apt-get install libfaketime'] : programs;
}

/** Where Debian puts it; null: it is not installed. */
export function fakeTimeLibrary(): string | null {
  const candidates = readdirSync('/usr/lib').map((folder) => join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1'));
  return candidates.find((path) => existsSync(path)) ?? null;
}
