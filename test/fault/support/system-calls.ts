/** What the kernel sees of a server's work on its store, by strace: the witness against which the counting is checked. */

/** Command line in front of the server's; the server stays the direct child. */
export function straceTo(log: string): readonly string[] {
  const filter = ['-e', 'trace=%file,%desc', '-e', 'signal=none'];
  return ['strace', '-D', '-f', '-y', '-s', '4096', '-o', log, '--seccomp-bpf', ...filter];
}

/** Calls that look, and change nothing. */
const looking: ReadonlySet<string> = new Set([
  'access',
  'close',
  'epoll_ctl',
  'faccessat2',
  'fcntl',
  'fstat',
  'fstatfs',
  'getdents64',
  'lseek',
  'lstat',
  'newfstatat',
  'pread64',
  'read',
  'readlink',
  'stat',
  'statfs',
  'statx',
]);

/** The kernel's names of calls that the library knows by the names of libc. */
const names: Readonly<Record<string, string>> = { openat: 'open', pwrite64: 'pwrite', pwritev2: 'pwritev' };

/** Names of the calls in a log of strace that may change the store; a call that nobody knows is among them. */
export function changesSeenBy(log: string, storeDir: string): readonly string[] {
  return log.split('\n').flatMap((line) => {
    const match = /^\d+ +(?<call>\w+)\((?<rest>.*)$/.exec(line);
    const { call = '', rest = '' } = match?.groups ?? {};
    if (!isOnStore(rest, storeDir) || looking.has(call)) return [];
    if (call === 'openat' && !/O_CREAT|O_TRUNC/.test(rest)) return [];
    return [names[call] ?? call];
  });
}

/** By an open descriptor, by a name inside an open folder, or by its whole name; text that is written does not count. */
function isOnStore(parameters: string, storeDir: string): boolean {
  if (/^\d+</.test(parameters)) return parameters.slice(parameters.indexOf('<') + 1).startsWith(storeDir);
  return parameters.includes('"/proc/self/fd/') || parameters.includes(`"${storeDir}`);
}
