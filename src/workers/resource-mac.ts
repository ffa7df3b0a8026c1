/**
 * The MAC in the URL of an upload: whoever knows the URL may go on with the upload, and nobody can make one up. It binds
 * the id to what never changes about the upload.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../shared/messages.ts';
import type { UploadRecord } from './storage/uploads/upload-record.ts';

const MAC_BYTES = 16;
/** Keys for other purposes are derived from the secret by other words. */
const PURPOSE = 'upload-resource v1';
const FORMAT = 'r1';

export type MacSubject = Pick<UploadRecord, 'id' | 'path' | 'signedLength' | 'endsMs'>;

/** 128 bits as base64url. */
export function resourceMac(secret: string, { id, path, signedLength, endsMs }: MacSubject): string {
  const key = createHmac('sha256', secret).update(PURPOSE, 'utf8').digest();
  const text = [FORMAT, id, path, signedLength ?? '', endsMs].join('\0');
  return createHmac('sha256', key).update(text, 'utf8').digest().subarray(0, MAC_BYTES).toString('base64url');
}

/**
 * The text itself is compared, since several texts decode to the same bits. All MACs are computed, also for an upload that
 * nobody knows (`subject` null): time and answer are the same for an unknown id and a wrong MAC.
 */
export function isResourceMac(presented: string, subject: MacSubject | null, secrets: Secrets): boolean {
  const macs = secrets.map((secret) => Buffer.from(resourceMac(secret, subject ?? nobody)));
  const given = Buffer.from(presented);
  const matches = macs.filter((mac) => given.length === mac.length && timingSafeEqual(given, mac));
  return subject !== null && matches.length > 0;
}

const nobody: MacSubject = { id: '', path: '' as MacSubject['path'], signedLength: null, endsMs: 0 };
