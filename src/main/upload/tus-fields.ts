/** The request fields of tus 1.0.0, read one by one. What is malformed is thrown as the problem that it is. */

import type { ExpectedDigest, ResumableBody } from '../../shared/resumable.ts';
import { parseDecimal } from '../http/decimal.ts';
import { contentDigests, representationDigests } from '../http/digest-fields.ts';
import type { RequestHead } from '../http/exchange.ts';
import { firstValue } from '../http/fields.ts';
import { essence } from '../http/media-type.ts';
import { HttpProblem, problems } from '../http/problem.ts';
import { parseUploadChecksum } from './upload-checksum.ts';

/** Two lines of one of these could be read two ways (RFC 9110 §5.3). */
export const soleFields: ReadonlySet<string> = new Set([
  'tus-resumable',
  'upload-offset',
  'upload-length',
  'upload-defer-length',
  'upload-metadata',
  'upload-concat',
  'upload-checksum',
  'content-type',
]);

const OFFSET_STREAM = 'application/offset+octet-stream';

/** Upload-Length; null without one. Throws 400, and 413 for what no file can be. */
export function readLength({ fields }: RequestHead): number | null {
  const text = firstValue(fields, 'upload-length');
  if (text === null) return null;
  const length = parseDecimal(text);
  if (length === 'malformed') throw new HttpProblem(problems.badRequest);
  if (length === 'excessive') throw new HttpProblem(problems.tooLarge);
  return length;
}

/** Upload-Offset. Throws 400. An offset that no upload can have is one that does not match, whatever it is exactly. */
export function readOffset({ fields }: RequestHead): number {
  const offset = parseDecimal(firstValue(fields, 'upload-offset') ?? '');
  if (offset === 'malformed') throw new HttpProblem(problems.badRequest);
  return offset === 'excessive' ? Number.MAX_SAFE_INTEGER : offset;
}

/** Whether the length is told later. Throws 400: the only value is 1. */
export function readDeferral({ fields }: RequestHead): boolean {
  const text = firstValue(fields, 'upload-defer-length');
  if (text !== null && text !== '1') throw new HttpProblem(problems.badRequest);
  return text !== null;
}

/** The body as bytes of the upload; null when the request has none. Throws 415 for a body that is something else. */
export function readBody(head: RequestHead): ResumableBody | null {
  const { body } = head.framing;
  const length = body.kind === 'length' || body.kind === 'none' ? body.length : null;
  const digests = readBodyDigests(head);
  if (length === 0 && digests.length === 0) return null;
  if (length !== 0) requireOffsetStream(head);
  return { length, digests, completes: null };
}

/** "All PATCH requests MUST use Content-Type: application/offset+octet-stream" (tus, PATCH): 415 otherwise. */
export function requireOffsetStream({ fields }: RequestHead): void {
  if (essence(firstValue(fields, 'content-type') ?? '') === OFFSET_STREAM) return;
  throw new HttpProblem(problems.unsupportedMediaType);
}

/** Repr-Digest: what the whole file must hash to (RFC 9530 §3). Throws 400. */
export function readFileDigests({ fields }: RequestHead): readonly ExpectedDigest[] {
  const digests = representationDigests(fields);
  if (digests === 'malformed') throw new HttpProblem(problems.badRequest);
  return digests;
}

/** What the body must hash to: Upload-Checksum, Content-Digest, Content-MD5. */
function readBodyDigests({ fields }: RequestHead): readonly ExpectedDigest[] {
  const digests = contentDigests(fields);
  if (digests === 'malformed') throw new HttpProblem(problems.badRequest);
  const text = firstValue(fields, 'upload-checksum');
  if (text === null) return digests;
  const checksum = parseUploadChecksum(text);
  if (checksum === null) throw new HttpProblem(problems.badRequest);
  return [checksum, ...digests];
}
