/** Upload-Checksum (tus, Checksum): the algorithm, a space, and the Base64 of the digest of one request's body. */

import type { ExpectedDigest } from '../../shared/resumable.ts';
import { base64Bytes, isBase64 } from '../http/base64.ts';

/** Length of the digests in bytes; the keys are the names that clients use. */
const digestBytes = { sha1: 20, md5: 16, sha256: 32, sha512: 64 } satisfies Record<ExpectedDigest['algorithm'], number>;

/** Value of Tus-Checksum-Algorithm. */
export const checksumAlgorithms = Object.keys(digestBytes).join(',');

/** null: an unknown algorithm, or no digest of it. */
export function parseUploadChecksum(text: string): ExpectedDigest | null {
  const [name = '', value = '', ...rest] = text.split(' ');
  if (rest.length > 0 || !isAlgorithm(name) || !isBase64(value)) return null;
  return base64Bytes(value) === digestBytes[name] ? { algorithm: name, value } : null;
}

function isAlgorithm(name: string): name is ExpectedDigest['algorithm'] {
  return Object.hasOwn(digestBytes, name);
}
