/** Makes one block device slow for one process, by a control group of its own (version 1 or 2). */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

export interface Throttle {
  readonly pid: number;
  /** Such as `/dev/loop3`. */
  readonly device: string;
  readonly bytesPerSecond: number;
}

/** Returns how to end it, for when the process is gone. Throws when the kernel offers no such control. */
export function throttleWrites({ pid, device, bytesPerSecond }: Throttle): () => void {
  const number = readFileSync(`/sys/class/block/${basename(device)}/dev`, 'utf8').trim();
  const { group, file, value } = limitOf(`hmac-slow-${pid}`, number, bytesPerSecond);
  mkdirSync(group);
  writeFileSync(join(group, file), value);
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return () => rmdirSync(group);
}

function limitOf(name: string, number: string, bytesPerSecond: number): { group: string; file: string; value: string } {
  if (existsSync(join(ROOT, 'blkio'))) {
    const group = join(ROOT, 'blkio', name);
    return { group, file: 'blkio.throttle.write_bps_device', value: `${number} ${bytesPerSecond}` };
  }
  const controllers = join(ROOT, 'cgroup.controllers');
  const offered = existsSync(controllers) ? readFileSync(controllers, 'utf8').trim().split(' ') : [];
  if (!offered.includes('io'))
    throw new Error(`no control group can slow a disk down: ${ROOT} has neither blkio nor io`);
  writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+io');
  return { group: join(ROOT, name), file: 'io.max', value: `${number} wbps=${bytesPerSecond}` };
}
