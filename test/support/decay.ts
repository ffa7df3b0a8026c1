/** A disk that loses bits: the content of a file changes, and nothing says so, not even its modification time. */

import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** Changes bytes in place with an ordinary write; then `touch`, which can set nanoseconds, restores the time. */
export function decay(file: string, change: (bytes: Buffer) => void): void {
  const fd = openSync(file, 'r+');
  try {
    const { size, mtimeNs } = fstatSync(fd, { bigint: true });
    const bytes = Buffer.alloc(Number(size));
    readSync(fd, bytes, 0, bytes.length, 0);
    change(bytes);
    writeSync(fd, bytes, 0, bytes.length, 0);
    const nanoseconds = String(mtimeNs % 1_000_000_000n).padStart(9, '0');
    execFileSync('touch', ['--date', `@${mtimeNs / 1_000_000_000n}.${nanoseconds}`, file]);
    if (fstatSync(fd, { bigint: true }).mtimeNs !== mtimeNs) throw new Error('touch did not restore the time');
  } finally {
    closeSync(fd);
  }
}

/** Flips one bit. */
export function flipBit(file: string, offset: number): void {
  decay(file, (bytes) => {
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
  });
}
