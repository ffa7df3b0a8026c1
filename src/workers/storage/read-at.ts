/** Reading from a descriptor: a read may yield less than it was asked for. */

import { readSync } from 'node:fs';
import { attempt } from './storage-error.ts';

/** Fills `target` from `position` and returns how many bytes there were; fewer only at the end of the file. */
export function readAt(fd: number, target: Uint8Array, position: number): number {
  let length = 0;
  while (length < target.length) {
    const from = length;
    const count = attempt('read', () => readSync(fd, target, from, target.length - from, position + from));
    if (count === 0) break;
    length += count;
  }
  return length;
}
