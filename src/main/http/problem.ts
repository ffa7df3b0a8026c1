/**
 * The catalogue of everything that can be wrong with a request, as plain data. Titles are what clients are shown and
 * operators search for: those of HMAC File Server 2.0.2 keep its exact words. How a problem is rendered stands in
 * `problem-answer.ts`.
 */

import type { ResumableErrorCode } from '../../shared/resumable.ts';
import type { SignatureScheme } from '../../shared/signature.ts';
import type { StorageErrorCode } from '../../shared/storage-error.ts';
import type { ResponseFields } from './field-line.ts';
import type { FramingDoubt } from './framing.ts';
import { unsatisfiedRange } from './range.ts';

export interface Problem {
  /** URI of the problem type (RFC 9457 §3.1.1); `about:blank` where the status says it all. */
  readonly type: string;
  readonly status: number;
  /** One line for the client: the whole body of a plain text answer. */
  readonly title: string;
  /** A sentence that helps to correct it; null where the title is enough. */
  readonly detail: string | null;
  /** Fields that belong to this problem: Allow, Retry-After, Content-Range. */
  readonly fields: ResponseFields;
  /** True when the connection must not be used again. */
  readonly closesConnection: boolean;
}

type Options = Partial<Pick<Problem, 'detail' | 'fields' | 'closesConnection'>>;

function define(type: string, status: number, title: string, options: Options = {}): Problem {
  return { type, status, title, detail: null, fields: [], closesConnection: false, ...options };
}

/** A problem that its status code describes completely. */
function plain(status: number, title: string, options?: Options): Problem {
  return define('about:blank', status, title, options);
}

/** A problem with a meaning of its own, named by a tag URI (RFC 4151): unique, and never looked up. */
function own(name: string, status: number, title: string, options?: Options): Problem {
  return define(`tag:hmac-file-server,2025:${name}`, status, title, options);
}

function retryAfter(seconds: number): Options {
  return { fields: [['Retry-After', String(seconds)]] };
}

export const problems = {
  badRequest: plain(400, 'Bad Request'),
  /** The end of the body is in doubt: nothing that follows on the connection can be trusted. */
  doubtfulFraming: plain(400, 'Bad Request', { closesConnection: true }),
  sizeMismatch: own('size-mismatch', 400, 'Bad Request', {
    detail: 'The body does not have the length that was announced.',
    closesConnection: true,
  }),
  digestMismatch: own('digest-mismatch', 400, 'Bad Request', {
    detail: 'The content does not have the digest that was announced.',
  }),
  noSignature: own('no-signature', 403, "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC"),
  macEncoding: own('mac-encoding', 403, 'Invalid MAC encoding'),
  invalidMac: own('invalid-mac', 403, 'Invalid MAC'),
  signatureExpired: own('signature-expired', 403, 'Signature expired'),
  invalidToken: own('invalid-token', 403, 'Invalid token'),
  lengthUnsigned: own('length-unsigned', 403, 'Length not signed', {
    detail: 'The slot was signed for another size.',
  }),
  uploadComplete: own('upload-complete', 403, 'Upload complete', {
    detail: 'The upload is finished: nothing can be appended to it, and it can not be discarded.',
  }),
  extensionDisallowed: own('disallowed-extension', 403, 'Disallowed file extension'),
  notFound: plain(404, 'Not Found'),
  conflict: plain(409, 'Conflict'),
  gone: plain(410, 'Gone'),
  lengthRequired: plain(411, 'Length Required', { closesConnection: true }),
  preconditionFailed: plain(412, 'Precondition Failed'),
  tooLarge: plain(413, 'Request Entity Too Large'),
  overQuota: own('over-quota', 413, 'Request Entity Too Large', {
    detail: 'With this file its owner would have more in the store than is allowed.',
  }),
  excessiveLength: plain(413, 'Request Entity Too Large', { closesConnection: true }),
  unsupportedMediaType: plain(415, 'Unsupported Media Type'),
  /** Of the tus checksum extension. */
  checksumMismatch: own('checksum-mismatch', 460, 'Checksum Mismatch', {
    detail: 'The body was damaged on its way: nothing of it was kept. Send it again.',
  }),
  tooManyRequests: plain(429, 'Too Many Requests', retryAfter(5)),
  internal: plain(500, 'Internal Server Error'),
  busy: own('busy', 503, 'Server busy. Try again later.', retryAfter(5)),
  unavailable: plain(503, 'Service Unavailable', retryAfter(10)),
  insufficientStorage: plain(507, 'Insufficient Storage'),
} satisfies Record<string, Problem>;

/** 405; `allowed` are the methods that the target does have (RFC 9110 §15.5.6). */
export function methodNotAllowed(allowed: readonly string[]): Problem {
  return plain(405, 'Method Not Allowed', { fields: [['Allow', allowed.join(', ')]] });
}

/** 416 with the length that the representation has (RFC 9110 §15.5.17). */
export function rangeNotSatisfiable(size: number): Problem {
  return plain(416, 'Range Not Satisfiable', { fields: [['Content-Range', unsatisfiedRange(size)]] });
}

/** 403 for a name whose extension is not among the allowed ones (lower case, without dots; empty: no extension). */
export function disallowedExtension(allowed: Iterable<string>): Problem {
  const list = Array.from(allowed, (extension) => (extension === '' ? 'none' : `.${extension}`)).join(', ');
  return own('disallowed-extension', 403, `Disallowed file extension. Allowed extensions are: ${list}`);
}

/** What a request is told whose framing is in doubt. */
export const framingProblems = {
  'repeated-host': problems.doubtfulFraming,
  'repeated-length': problems.doubtfulFraming,
  'malformed-length': problems.doubtfulFraming,
  'excessive-length': problems.excessiveLength,
  'repeated-coding': problems.doubtfulFraming,
  'unknown-coding': problems.doubtfulFraming,
  'length-with-coding': problems.doubtfulFraming,
} satisfies Record<FramingDoubt, Problem>;

/** What the client is told when a worker failed. The system's own words stay in the log. */
export const storageProblems = {
  'signature-mismatch': problems.invalidMac,
  exists: problems.conflict,
  'path-conflict': problems.conflict,
  'not-found': problems.notFound,
  'no-space': problems.insufficientStorage,
  'over-quota': problems.overQuota,
  'too-large': problems.tooLarge,
  'size-mismatch': problems.sizeMismatch,
  'digest-mismatch': problems.digestMismatch,
  'store-unavailable': problems.unavailable,
  'too-many-files': problems.unavailable,
  overloaded: problems.busy,
  denied: problems.internal,
  io: problems.internal,
  'worker-lost': problems.internal,
} satisfies Record<StorageErrorCode, Problem>;

/**
 * The same for uploads that can be gone on with; protocols have words of their own for some of them. All ways in which the
 * URL of an upload can be wrong look the same.
 */
export const resumableProblems = {
  ...storageProblems,
  'upload-unknown': problems.notFound,
  'upload-gone': problems.gone,
  'upload-protocol': problems.notFound,
  'offset-mismatch': problems.conflict,
  'length-mismatch': problems.badRequest,
  'length-exceeded': problems.tooLarge,
  'length-unsigned': problems.lengthUnsigned,
  'body-too-long': problems.excessiveLength,
  'body-too-short': problems.badRequest,
  'upload-complete': problems.uploadComplete,
  'upload-final': problems.uploadComplete,
  'part-unusable': problems.badRequest,
  'too-many-uploads': problems.busy,
  'extension-disallowed': problems.extensionDisallowed,
} satisfies Record<StorageErrorCode | ResumableErrorCode, Problem>;

/** What the client is told when the signature does not verify. */
export function mismatchProblem(scheme: SignatureScheme): Problem {
  return scheme === 'jwt' ? problems.invalidToken : problems.invalidMac;
}

/** Thrown where a request cannot go on; caught in the one place that renders problems. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.title, options);
    this.problem = problem;
  }
}
