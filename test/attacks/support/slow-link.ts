/**
 * A network of a server's own, whose only link is slow, with packets and the queue of a real one: slow clients that read
 * slowly from loopback are no honest ones, since the kernel keeps up to 1 MB for them. Gone with its last process. Needs
 * root (Debian: util-linux, iproute2).
 */

import { runProgram } from '../../support/program.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** The queue holds what the link moves in about ten seconds. */
const QUEUE_SECONDS = 10;
const SET_UP = `
ip link set lo up mtu 1500 &&
tc qdisc add dev lo root tbf rate "$1" burst 1600 limit "$2" || exit 2
shift 2
exec "$@"`;

/** A `prefix` of `ServerOptions`: the server is reached through the link only, by programs inside. */
export function behindLink(bytesPerSecond: number): readonly string[] {
  const [rate, limit] = [`${bytesPerSecond * 8}bit`, String(bytesPerSecond * QUEUE_SECONDS)];
  return ['unshare', '--net', 'sh', '-c', SET_UP, 'sh', rate, limit];
}

/** Runs a program inside: put in front of its command line. */
export function insideOf({ pid }: ServerProcess): readonly string[] {
  return ['nsenter', '--net', '--target', String(pid)];
}

/** The link is fast from now on. */
export async function widenLink(server: ServerProcess): Promise<void> {
  const [command = '', ...args] = [...insideOf(server), 'tc', 'qdisc', 'del', 'dev', 'lo', 'root'];
  const { status, stderr } = await runProgram(command, args, { debian: 'util-linux' });
  if (status !== 0) throw new Error(stderr);
}
