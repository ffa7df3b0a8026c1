/**
 * Cross-origin answers (Fetch standard, CORS protocol). Every origin may read every answer, errors included, and no
 * answer depends on credentials, so `*` is right and nothing of the request is reflected.
 */

import type { ResponseFields } from './field-line.ts';

const exposedFields = [
  'Location, Content-Length, Content-Range, Content-Disposition, Accept-Ranges, ETag, Last-Modified, Range',
  'Repr-Digest, Content-Digest, Retry-After, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size',
  'Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Defer-Length, Upload-Concat',
  'Upload-Expires, Upload-Incomplete, Upload-Complete, Upload-Limit, Upload-Draft-Interop-Version',
].join(', ');

const allowedFields = [
  'Authorization, Content-Type, Content-Disposition, Content-Range, Content-Digest, Repr-Digest, Want-Repr-Digest',
  'Origin, Range, If-Range, If-Match, If-None-Match, X-Requested-With, X-Request-ID, X-HTTP-Method-Override',
  'Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Checksum',
  'Upload-Incomplete, Upload-Complete, Upload-Draft-Interop-Version',
].join(', ');

/** For every answer, whatever its status. */
export const corsFields: ResponseFields = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Expose-Headers', exposedFields],
];

/** For the answer to OPTIONS, besides `corsFields`. Browsers keep it for a day, or for as long as they see fit. */
export const preflightFields: ResponseFields = [
  ['Access-Control-Allow-Methods', 'OPTIONS, GET, HEAD, PUT, POST, PATCH, DELETE'],
  ['Access-Control-Allow-Headers', allowedFields],
  ['Access-Control-Max-Age', '86400'],
];
