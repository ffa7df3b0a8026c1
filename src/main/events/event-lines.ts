/**
 * What each event looks like in the log: level, text, fields. A line never carries a query, a MAC, a token or the address
 * of an upload resource: whoever reads the log could use them.
 */

import type { EventOf, RequestRef, SignatureResult, UploadRef } from '../../shared/events.ts';
import type { LineRules } from './line-rules.ts';
import type { LogFields } from './log-line.ts';
import { LOG_MESSAGES } from './log-messages.ts';
import { redact, withoutQuery } from './log-text.ts';
import { hintFields } from './signature-hints.ts';
import { storeRules } from './store-lines.ts';

/** How a request ends when nothing on our side failed. */
const NOT_OUR_FAILURE: ReadonlySet<string> = new Set(['client', 'timeout', 'shutdown']);

const REFUSED_SIGNATURE: Readonly<Record<SignatureResult, string>> = {
  ok: 'Signature refused',
  mismatch: LOG_MESSAGES.wrongSignature,
  encoding: LOG_MESSAGES.malformedSignature,
  missing: LOG_MESSAGES.noSignature,
  expired: 'Signature expired',
  repeated: 'Signature parameter repeated',
  path: 'Path refused',
};

const requestRules = {
  'connection.opened': {
    level: 'debug',
    msg: 'Connection opened',
    fields: ({ remote, open }) => ({ remote, open_connections: open }),
  },
  'connection.closed': {
    level: 'debug',
    msg: 'Connection closed',
    fields: ({ open }) => ({ open_connections: open }),
  },
  'request.received': {
    level: 'debug',
    msg: 'Request received',
    fields: (event) => ({ ...requestFields(event), content_length: event.lengthBytes }),
  },
  'request.completed': {
    // An answer of 5xx is a failed request: no line of this kind is graver, so quieter logs never ask for the event.
    level: 'info',
    msg: 'Request completed',
    fields: (event) => ({ ...requestFields(event), ...answerFields(event) }),
  },
  'request.failed': {
    level: { gravest: 'error', of: (event) => (isOurFailure(event) ? 'error' : 'info') },
    msg: (event) => (isOurFailure(event) ? 'Request failed' : 'Request aborted'),
    fields: (event) => ({ ...requestFields(event), ...answerFields(event), ...failureFields(event) }),
    limit: { perSecond: 10, kind: (event) => (isOurFailure(event) ? event.code : null) },
  },
  'signature.checked': {
    level: 'debug',
    msg: 'Signature checked',
    fields: ({ requestId, scheme, result, secret }) => ({ request_id: requestId, scheme, reason: result, secret }),
  },
  'signature.refused': {
    level: 'warning',
    msg: ({ result }) => REFUSED_SIGNATURE[result],
    fields: (event) => ({
      ...requestFields(event),
      scheme: event.scheme,
      reason: event.result,
      size_bytes: event.sizeBytes,
      types_tried: event.triedTypes,
      ...hintFields(event.hint),
    }),
    limit: { perSecond: 10, kind: ({ result }) => result },
  },
} as const satisfies Partial<LineRules>;

const transferRules = {
  'upload.refused': {
    level: 'info',
    msg: LOG_MESSAGES.disallowedExtension,
    fields: ({ requestId, path, extension }) => ({ request_id: requestId, filename: withoutQuery(path), extension }),
  },
  'upload.created': {
    level: 'debug',
    msg: 'Upload created',
    fields: (event) => ({ ...uploadFields(event), size_bytes: event.sizeBytes }),
  },
  'upload.suspended': {
    level: 'info',
    msg: 'Upload suspended',
    fields: (event) => ({
      ...uploadFields(event),
      reason: event.reason,
      offset: event.offsetBytes,
      duration_ms: rounded(event.durationMs),
    }),
  },
  'upload.completed': {
    level: 'debug',
    msg: 'Upload completed',
    fields: (event) => ({
      ...uploadFields(event),
      size_bytes: event.sizeBytes,
      duration_ms: rounded(event.durationMs),
    }),
  },
  'upload.discarded': {
    level: 'info',
    msg: 'Upload discarded',
    fields: (event) => ({
      ...uploadFields(event),
      reason: event.reason,
      bytes_in: event.receivedBytes,
      duration_ms: rounded(event.durationMs),
    }),
  },
  'upload.expired': {
    level: 'info',
    msg: 'Unfinished upload expired',
    fields: (event) => ({ ...uploadFields(event), offset: event.offsetBytes }),
    limit: { perSecond: 10, kind: () => 'all' },
  },
  'version.rotated': {
    level: 'info',
    msg: LOG_MESSAGES.rotatedVersion,
    fields: ({ uploadId, fileId, path, versionId, sizeBytes }) => ({
      upload_id: uploadId,
      file_id: fileId,
      original: path,
      versioned_as: versionId,
      size_bytes: sizeBytes,
    }),
  },
  'version.removed': {
    level: 'info',
    msg: LOG_MESSAGES.removedVersion,
    fields: ({ fileId, path, versionId }) => ({ file_id: fileId, original: path, file: versionId }),
  },
  'download.completed': {
    level: 'debug',
    msg: 'Download completed',
    fields: (event) => downloadFields(event),
  },
  'download.aborted': {
    level: { gravest: 'error', of: ({ reason }) => (reason === 'io' ? 'error' : 'debug') },
    msg: 'Download aborted',
    fields: (event) => ({ ...downloadFields(event), reason: event.reason }),
    limit: { perSecond: 10, kind: ({ reason }) => (reason === 'io' ? reason : null) },
  },
  'download.refused': {
    level: 'debug',
    msg: 'Download refused',
    fields: ({ requestId, status }) => ({ request_id: requestId, status }),
  },
} as const satisfies Partial<LineRules>;

const serverRules = {
  'worker.crashed': {
    level: 'error',
    msg: 'Worker crashed',
    fields: ({ lane, code, transfers }) => ({ worker: lane, code, transfers }),
  },
  'pool.saturated': {
    level: 'warning',
    msg: 'Too many uploads at once',
    fields: ({ uploads, limit }) => ({ uploads, limit }),
    limit: { perSecond: 1, kind: () => 'all' },
  },
  'readers.stalled': {
    level: 'warning',
    msg: 'Too many readers stand still at once, and are let go after 10 s',
    fields: ({ client, readers, limit }) => ({ remote: client, readers, limit }),
    limit: { perSecond: 1, kind: () => 'all' },
  },
  'config.reloaded': {
    level: { gravest: 'warning', of: ({ needRestart }) => (needRestart.length > 0 ? 'warning' : 'info') },
    msg: 'Configuration reloaded',
    fields: ({ changed, needRestart }) => ({ changed, need_restart: needRestart }),
  },
  'config.rejected': {
    level: 'error',
    msg: 'Configuration rejected, the old one stays in use',
    fields: ({ message }) => ({ error: redact(message) }),
  },
  'server.started': {
    level: 'info',
    msg: 'Server started',
    fields: ({ listen, metrics, durationMs }) => ({ listen, metrics, duration_ms: rounded(durationMs) }),
  },
  'server.failed': {
    level: { gravest: 'fatal', of: ({ isFatal }) => (isFatal ? 'fatal' : 'error') },
    msg: 'Server failed',
    fields: (event) => failureFields(event),
  },
  'server.stopping': {
    level: 'info',
    msg: 'Server stopping',
    fields: ({ signal, inFlight, deadlineMs }) => ({ signal, in_flight: inFlight, deadline_ms: deadlineMs }),
  },
  'server.stopped': {
    level: 'info',
    msg: 'Server stopped',
    fields: ({ isClean, durationMs }) => ({ clean: isClean, duration_ms: rounded(durationMs) }),
  },
} as const satisfies Partial<LineRules>;

/** Every event type. */
export const LINE_RULES: LineRules = { ...requestRules, ...transferRules, ...storeRules, ...serverRules };

function isOurFailure({ status, code }: EventOf<'request.failed'>): boolean {
  return (status !== null && status >= 500) || !NOT_OUR_FAILURE.has(code);
}

function requestFields(request: RequestRef): LogFields {
  return {
    request_id: request.requestId,
    method: request.method,
    route: request.route,
    path: withoutQuery(request.path),
    remote: request.remote,
  };
}

function answerFields(answer: EventOf<'request.completed' | 'request.failed'>): LogFields {
  return {
    status: answer.status,
    bytes_in: answer.bytesIn,
    bytes_out: answer.bytesOut,
    duration_ms: rounded(answer.durationMs),
  };
}

function failureFields(failure: EventOf<'request.failed' | 'server.failed'>): LogFields {
  return {
    code: failure.code,
    error: redact(failure.message),
    stack: failure.stack === undefined ? undefined : redact(failure.stack),
  };
}

function uploadFields({ uploadId, fileId, protocol }: UploadRef): LogFields {
  return { upload_id: uploadId, file_id: fileId, protocol };
}

function downloadFields(event: EventOf<'download.completed' | 'download.aborted'>): LogFields {
  return {
    request_id: event.requestId,
    file_id: event.fileId,
    bytes_out: event.bytesOut,
    duration_ms: rounded(event.durationMs),
  };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
