/** One download in a lane: an open file from which main asks for bytes, buffer by buffer. */

import type { FromLane, ToLane } from '../shared/messages.ts';
import type { OpenFile, Storage } from './storage/storage.ts';
import { StorageError } from './storage/storage-error.ts';

type OpenDownload = Extract<ToLane, { type: 'download.open' }>;
type ReadDownload = Extract<ToLane, { type: 'download.read' }>;
type Opened = Extract<FromLane, { type: 'download.opened' }>;
type Bytes = Extract<FromLane, { type: 'download.bytes' }>;

export class SendFile {
  private readonly file: OpenFile;
  private readonly transfer: number;

  private constructor(file: OpenFile, transfer: number) {
    this.file = file;
    this.transfer = transfer;
  }

  /**
   * Opens and reads the first bytes in one go. A file that was read whole, or of which only the facts are wanted, is
   * closed at once, and `download` is null. Errors: not-found, too-many-files, io.
   */
  static open(storage: Storage, open: OpenDownload): { opened: Opened; download: SendFile | null } {
    const { transfer, key, offset, buffer } = open;
    const file = storage.openFile(key);
    try {
      const length =
        buffer === null || offset >= file.info.size ? 0 : readInto(file, buffer, buffer.byteLength, offset);
      const isWhole = buffer === null || (offset === 0 && length === file.info.size);
      const { info, fileId, expiresMs, isAtOwnPath } = file;
      const opened = {
        type: 'download.opened',
        transfer,
        file: info,
        fileId,
        expiresMs,
        isAtOwnPath,
        buffer,
        length,
        isOpen: !isWhole,
      } as const;
      if (!isWhole) return { opened, download: new SendFile(file, transfer) };
      file.close();
      return { opened, download: null };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Errors: io, also when the file has become shorter than it was: never a short answer. */
  read(request: ReadDownload): Bytes {
    const wanted = Math.min(request.length, request.buffer.byteLength);
    const length = readInto(this.file, request.buffer, wanted, request.offset);
    if (length < wanted) throw new StorageError('io', 'file became shorter while it was sent');
    return { type: 'download.bytes', transfer: this.transfer, offset: request.offset, buffer: request.buffer, length };
  }

  close(): void {
    this.file.close();
  }
}

function readInto(file: OpenFile, buffer: ArrayBuffer, length: number, position: number): number {
  const wanted = Math.min(length, Math.max(0, file.info.size - position));
  return file.read(new Uint8Array(buffer, 0, wanted), position);
}
