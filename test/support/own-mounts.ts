/**
 * Servers whose store lies on a file system that only they see: mounted in a namespace of theirs, and gone with them.
 * Each answer is a `prefix` of `ServerOptions`. Needs root, or namespaces for everybody (Debian: util-linux, mount).
 */

import { join } from 'node:path';
import { projectRoot } from './project-root.ts';
import type { ServerProcess } from './server-process.ts';

/** Debian's interpreter: only it finds Debian's python3-fusepy. */
const PYTHON = '/usr/bin/python3';
const FOLDING = join(projectRoot, 'test/support/folding-fs.py');
/** Waits until the folder is a mount; the file system ends with the server, which takes the place of this shell. */
const FOLD_NAMES = `
setpriv --pdeathsig KILL "$1" "$2" "$3" "$4" &
until mountpoint --quiet "$4"; do
  kill -0 $! 2>/dev/null || { echo 'no FUSE file system (Debian: python3-fusepy fuse)' >&2; exit 2; }
done
shift 4
exec "$@"`;

type Prefix = readonly string[];

function inNamespace(script: string, ...args: readonly string[]): Prefix {
  const user = process.geteuid?.() === 0 ? [] : ['--map-root-user'];
  return ['unshare', '--mount', ...user, '--propagation', 'private', 'sh', '-c', script, 'sh', ...args];
}

/** A file system in memory, such as `size=20m,nr_inodes=200`. */
export function onTmpfs(folder: string, options: string): Prefix {
  return inNamespace('mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"', options, folder);
}

/** A file system that folds the case of names, which keeps them in `real`. Needs /dev/fuse. */
export function onFoldingNames(folder: string, real: string): Prefix {
  return inNamespace(FOLD_NAMES, PYTHON, FOLDING, real, folder);
}

/** A path as the server sees it. */
export function asSeenBy(server: ServerProcess, path: string): string {
  return join(`/proc/${server.pid}/root`, path);
}
