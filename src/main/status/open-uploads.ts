/** The uploads that are being received, by what events tell of them: which one has been running for longest. */

import type { EventOf, UploadProtocol } from '../../shared/events.ts';

export interface OpenUpload {
  /** Joins it to the lines of the log, opens nothing. */
  readonly fileId: string;
  readonly protocol: UploadProtocol;
  /** null: the client has not said. */
  readonly sizeBytes: number | null;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** Above it new uploads are counted elsewhere, but not listed. */
const MAX_KNOWN = 5_000;

export class OpenUploads {
  /** In the order in which they began. */
  private readonly known = new Map<string, OpenUpload>();

  began({ uploadId, fileId, protocol, sizeBytes, time }: EventOf<'upload.created'>): void {
    if (this.known.size < MAX_KNOWN) this.known.set(uploadId, { fileId, protocol, sizeBytes, sinceMs: time });
  }

  ended({ uploadId }: { readonly uploadId: string }): void {
    this.known.delete(uploadId);
  }

  /** Those that have been running for longest. `inFlight`: how many there really are; events can be lost. */
  longest(count: number, inFlight: number): readonly OpenUpload[] {
    if (inFlight === 0) this.known.clear();
    const longest: OpenUpload[] = [];
    for (const upload of this.known.values()) {
      if (longest.length === count) break;
      longest.push(upload);
    }
    return longest;
  }
}
