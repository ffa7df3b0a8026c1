/**
 * The file that `put` sends: read from any offset, hashed on the way in its order, and watched for changes, because a file
 * that changes under an upload that is gone on with arrives as a mixture.
 */

import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

const PIECE_BYTES = 256 * 1024;

/** Something is wrong with the file; the message says what. */
export class LocalFileError extends Error {
  override readonly name = 'LocalFileError';
}

export class LocalFile {
  /** Without its folder. */
  readonly name: string;
  readonly size: number;
  private readonly handle: FileHandle;
  private readonly modifiedMs: number;
  private readonly hash: Hash = createHash('sha256');
  private hashedBytes = 0;

  private constructor(handle: FileHandle, name: string, size: number, modifiedMs: number) {
    this.handle = handle;
    this.name = name;
    this.size = size;
    this.modifiedMs = modifiedMs;
  }

  /** `folder`: where a relative path begins. Throws LocalFileError. */
  static async open(path: string, folder: string): Promise<LocalFile> {
    try {
      const handle = await open(resolve(folder, path), 'r');
      const stats = await handle.stat();
      if (stats.isFile()) return new LocalFile(handle, basename(path), stats.size, stats.mtimeMs);
      await handle.close();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new LocalFileError(`${path}: ${(code === undefined ? undefined : fileWords[code]) ?? String(error)}`);
    }
    throw new LocalFileError(`${path} is not a file`);
  }

  /** The bytes from `start` to before `end`. Throws LocalFileError when the file has changed. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    await this.assertUnchanged();
    for (let at = start; at < end; ) {
      const piece = await this.piece(at, end);
      if (at === this.hashedBytes) this.digest(piece);
      at += piece.length;
      yield piece;
    }
  }

  /** SHA-256 of the whole file as Base64. Reads what has not been sent. Throws LocalFileError when it has changed. */
  async sha256(): Promise<string> {
    while (this.hashedBytes < this.size) this.digest(await this.piece(this.hashedBytes, this.size));
    await this.assertUnchanged();
    return this.hash.copy().digest('base64');
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private digest(piece: Uint8Array): void {
    this.hash.update(piece);
    this.hashedBytes += piece.length;
  }

  private async piece(at: number, end: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
    const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw changed();
    return buffer.subarray(0, bytesRead);
  }

  private async assertUnchanged(): Promise<void> {
    const { size, mtimeMs } = await this.handle.stat();
    if (size !== this.size || mtimeMs !== this.modifiedMs) throw changed();
  }
}

function changed(): LocalFileError {
  return new LocalFileError('the file was changed while it was being sent');
}

const fileWords: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
  EISDIR: 'is a folder',
  ENOTDIR: 'no such file',
};
