/** Makes the token with which Prosody's mod_http_file_share signs an upload, for `sign`. */

import { createHmac } from 'node:crypto';
import type { FileKey } from '../../shared/files.ts';

export interface SlotTokenInput {
  readonly secret: string;
  /** Has a folder: its first segment is the slot. */
  readonly key: FileKey;
  readonly sizeBytes: string;
  readonly type: string;
  /** Unix times. */
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** null: as FileTTL says. */
  readonly fileExpiresAtSeconds: number | null;
  readonly owner: string | null;
}

/** A JWT in its compact form (RFC 7515 §7.1). */
export function createSlotToken(input: SlotTokenInput): string {
  const slash = input.key.indexOf('/');
  const claims = {
    slot: input.key.slice(0, slash),
    filename: input.key.slice(slash + 1),
    filesize: Number(input.sizeBytes),
    filetype: input.type,
    iat: input.issuedAtSeconds,
    exp: input.expiresAtSeconds,
    ...(input.fileExpiresAtSeconds === null ? {} : { expires: input.fileExpiresAtSeconds }),
    ...(input.owner === null ? {} : { sub: input.owner }),
  };
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', input.secret).update(text).digest('base64url')}`;
}
