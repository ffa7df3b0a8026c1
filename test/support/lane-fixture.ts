/** What main says to a lane, for tests of either side: signed uploads in pieces, as the upload service sends them. */

import type { FileKey } from '../../src/shared/files.ts';
import type { BodyPiece, ToLane } from '../../src/shared/messages.ts';
import { signV } from './sign.ts';

export const LANE_SECRET = 'the-secret-of-the-lanes';
export const LANE_BUFFER_BYTES = 4096;

type OpenUpload = Extract<ToLane, { type: 'upload.open' }>;

export interface UploadOrder {
  readonly transfer: number;
  readonly key: string;
  readonly size: number;
  readonly piece?: BodyPiece | null;
  readonly secret?: string;
  readonly storedType?: string | null;
}

/** The bytes in a transfer buffer that can be moved. */
export function pieceOf(bytes: Uint8Array, isLast: boolean): BodyPiece {
  const buffer = new ArrayBuffer(Math.max(LANE_BUFFER_BYTES, bytes.length));
  new Uint8Array(buffer).set(bytes);
  return { buffer, length: bytes.length, isLast };
}

export function openUpload(order: UploadOrder): OpenUpload {
  const { transfer, key, size, piece = null, secret = LANE_SECRET, storedType = null } = order;
  const message = { text: `${key} ${size}`, storedType };
  const signature = { scheme: 'v', mac: signV(secret, key, size), messages: [message] } as const;
  return {
    type: 'upload.open',
    transfer,
    uploadId: '0123456789abcdef0123456789abcdef',
    key: key as FileKey,
    size,
    keepVersions: null,
    digests: [],
    isResumable: false,
    signature,
    terms: { usableUntilMs: null, expiresAtMs: null, owner: null },
    piece,
  };
}
