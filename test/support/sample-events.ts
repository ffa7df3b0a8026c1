/** One event of every type, as the server publishes it. */

import type { RequestRef, ServerEventBody, ServerEventType, UploadRef } from '../../src/shared/events.ts';

type BodyOf<T extends ServerEventType> = Extract<ServerEventBody, { readonly type: T }>;

const request: RequestRef = {
  requestId: 'r-1',
  method: 'PUT',
  route: '/{file}',
  path: '/files/2026/picture.png',
  remote: '2001:db8::1',
};
const upload: UploadRef = { uploadId: 'u-1', fileId: '0123456789ab', protocol: 'put' };
const download = { requestId: 'r-1', fileId: '0123456789ab', bytesOut: 500, durationMs: 20 };
const version = { fileId: '0123456789ab', path: '2026/picture.png', versionId: '01767225600000-000000' };
const sweep = {
  isAnnouncing: false,
  files: 100,
  bytes: 100_000,
  expiredFiles: 3,
  expiredBytes: 3_000,
  removedFiles: 2,
  removedBytes: 2_000,
  prunedFolders: 1,
  leftovers: 1,
  tombstones: 0,
  passedOver: 0,
};
const answer = { bytesIn: 1000, bytesOut: 0, durationMs: 12.3456 };

const samples: { readonly [T in ServerEventType]: BodyOf<T> } = {
  'connection.opened': { type: 'connection.opened', remote: '192.0.2.1', open: 3 },
  'connection.closed': { type: 'connection.closed', open: 2 },
  'request.received': { type: 'request.received', lengthBytes: 1000, ...request },
  'request.completed': { type: 'request.completed', status: 201, ...answer, ...request },
  'request.failed': {
    type: 'request.failed',
    status: 500,
    code: 'io',
    message: 'EIO write',
    ...answer,
    ...request,
  },
  'signature.checked': { type: 'signature.checked', requestId: 'r-1', scheme: 'v2', result: 'ok', secret: 'current' },
  'signature.refused': {
    type: 'signature.refused',
    scheme: 'v2',
    result: 'mismatch',
    sizeBytes: 1000,
    triedTypes: ['image/png', 'application/octet-stream'],
    hint: 'whole-path',
    ...request,
  },
  'upload.refused': { type: 'upload.refused', extension: 'exe', ...request },
  'upload.created': { type: 'upload.created', sizeBytes: 1000, ...upload },
  'upload.completed': {
    type: 'upload.completed',
    path: '2026/picture.png',
    sizeBytes: 1000,
    durationMs: 300,
    ...upload,
  },
  'upload.discarded': { type: 'upload.discarded', receivedBytes: 400, reason: 'client', durationMs: 300, ...upload },
  'upload.suspended': { type: 'upload.suspended', offsetBytes: 400, reason: 'client', durationMs: 300, ...upload },
  'upload.expired': { type: 'upload.expired', offsetBytes: 400, ...upload },
  'version.rotated': { type: 'version.rotated', uploadId: 'u-1', sizeBytes: 900, ...version },
  'version.removed': { type: 'version.removed', ...version },
  'file.deleted': {
    type: 'file.deleted',
    requestId: 'r-1',
    fileId: '0123456789ab',
    sizeBytes: 1000,
    versions: 2,
    freedBytes: 3000,
  },
  'deletion.completed': { type: 'deletion.completed', requestId: 'r-1', result: 'ok' },
  'file.expired': { type: 'file.expired', fileId: '0123456789ab', sizeBytes: 1000 },
  'expiry.completed': { type: 'expiry.completed', ...sweep, durationMs: 1234.5 },
  'expiry.suspended': { type: 'expiry.suspended', jumpMs: 315_360_000_000, recovered: false },
  'download.completed': { type: 'download.completed', ...download },
  'download.aborted': { type: 'download.aborted', reason: 'client', ...download },
  'download.refused': { type: 'download.refused', requestId: 'r-1', status: 404 },
  'worker.crashed': { type: 'worker.crashed', lane: 'upload-0', code: 'ERR_WORKER_OUT_OF_MEMORY', transfers: 2 },
  'pool.saturated': { type: 'pool.saturated', uploads: 100, limit: 100 },
  'readers.stalled': { type: 'readers.stalled', client: '192.0.2.1', readers: 17, limit: 16 },
  'storage.degraded': { type: 'storage.degraded', code: 'EIO fdatasync', recovered: false },
  'config.reloaded': { type: 'config.reloaded', changed: ['LogLevel'], needRestart: [] },
  'config.rejected': { type: 'config.rejected', message: 'config.toml:3: unknown key' },
  'server.started': { type: 'server.started', listen: '[::]:8080', metrics: null, durationMs: 120 },
  'server.failed': { type: 'server.failed', code: 'ERR_ASSERTION', message: 'boom', isFatal: true },
  'server.stopping': { type: 'server.stopping', signal: 'SIGTERM', inFlight: 2, deadlineMs: 30_000 },
  'server.stopped': { type: 'server.stopped', isClean: true, durationMs: 80 },
};

/** Every event type. */
export const eventTypes: readonly ServerEventType[] = Object.keys(samples) as ServerEventType[];

/** A fresh event of that type, with some of its fields changed. */
export function sampleEvent<T extends ServerEventType>(type: T, changes: Partial<BodyOf<T>> = {}): BodyOf<T> {
  const sample: BodyOf<T> = samples[type];
  return { ...sample, ...changes };
}
