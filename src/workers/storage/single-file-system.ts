/**
 * The whole store must lie on one file system: links and renames do not cross a border. Mounts below StoreDir are found
 * in the kernel's own list, so that no walk is needed; the reserved tree is looked at itself.
 */

import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { type Folder, inside } from './folder.ts';
import { attempt, StorageError } from './storage-error.ts';

/** Position of the mount point in a line of /proc/self/mountinfo (proc(5)). */
const MOUNT_POINT_FIELD = 4;

/** Errors: store-unavailable, with what is mounted there. Looks only, so nothing is left in a folder that is refused. */
export function refuseMountsBelow(storeDir: string): void {
  const mounted = mountsBelow(realpathSync(storeDir))[0];
  if (mounted !== undefined) throw elsewhere(mounted);
}

/** Errors: store-unavailable, with what lies elsewhere. `own` is the open reserved tree; `device` is StoreDir's. */
export function refuseOtherDevices(own: Folder, device: bigint): void {
  const areas = foldersIn(own, '.');
  // Below `records/aa` are folders of single keys, made by us.
  const paths = areas.flatMap((area) => [area, ...foldersIn(own, area).map((name) => `${area}/${name}`)]);
  for (const path of paths) {
    const { dev } = attempt('lstat in .hfs', () => lstatSync(inside(own, path), { bigint: true }));
    if (dev !== device) throw elsewhere(`${own.path.slice(1)}/${path}`);
  }
}

function elsewhere(path: string): StorageError {
  return new StorageError('store-unavailable', `${path} lies on another file system than StoreDir`);
}

function mountsBelow(path: string): readonly string[] {
  const below = path.endsWith('/') ? path : `${path}/`;
  return readMounts().filter((mountPoint) => mountPoint.startsWith(below));
}

function readMounts(): readonly string[] {
  const lines = attempt('read mountinfo', () => readFileSync('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.map((line) => unescapeOctal(line.split(' ')[MOUNT_POINT_FIELD] ?? ''));
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function foldersIn(own: Folder, path: string): readonly string[] {
  const entries = attempt('readdir in .hfs', () => readdirSync(inside(own, path), { withFileTypes: true }));
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
