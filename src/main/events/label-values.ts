/** The closed lists of label values. Types keep them complete: a new event type or reason does not compile without one. */

import type {
  CutReason,
  DeletionResult,
  Route,
  ServerEventType,
  SignatureResult,
  UploadProtocol,
} from '../../shared/events.ts';
import type { SecretKind, SignatureScheme } from '../../shared/signature.ts';
import type { ConfigWarningReason } from '../config/config.ts';
import { ClosedLabel, OTHER } from './closed-label.ts';

/** The keys of an object that must name every member of a union. */
function listOf<T extends string>(members: Readonly<Record<T, true>>): readonly T[] {
  return Object.keys(members) as T[];
}

/** Status codes that this server sends. */
const STATUS_CODES = [
  200, 201, 204, 206, 304, 308, 400, 403, 404, 405, 408, 409, 410, 411, 412, 413, 415, 416, 417, 423, 429, 431, 460,
  500, 501, 503, 505, 507,
];

export const METHOD = new ClosedLabel('method', ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', OTHER]);

/** Route templates, never paths: a path is all that is needed to download a file. */
export const PATH = new ClosedLabel(
  'path',
  listOf<Route>({ '/{file}': true, '/{upload}': true, '*': true, other: true }),
);

export const CODE = new ClosedLabel('code', [...STATUS_CODES.map(String), OTHER]);

export const SCHEME = new ClosedLabel(
  'scheme',
  listOf<SignatureScheme>({ v: true, v2: true, token: true, v3: true, jwt: true, delete: true, none: true }),
);

export const RESULT = new ClosedLabel(
  'result',
  listOf<SignatureResult>({
    ok: true,
    mismatch: true,
    encoding: true,
    missing: true,
    expired: true,
    repeated: true,
    path: true,
  }),
);

export const KEY = new ClosedLabel('key', listOf<SecretKind>({ current: true, previous: true }));

export const UPLOAD_PROTOCOLS = listOf<UploadProtocol>({ put: true, range: true, tus: true, ietf: true });
export const PROTOCOL = new ClosedLabel('protocol', UPLOAD_PROTOCOLS);

export const CUT_REASON = new ClosedLabel(
  'reason',
  listOf<CutReason>({
    client: true,
    timeout: true,
    handover: true,
    too_large: true,
    over_quota: true,
    no_space: true,
    io: true,
    conflict: true,
    shutdown: true,
  }),
);

/** Whether the bytes of a cut upload were kept. */
export const KEPT = new ClosedLabel('kept', ['yes', 'no']);

export const DELETION_RESULT = new ClosedLabel(
  'result',
  listOf<DeletionResult>({ ok: true, absent: true, refused: true, error: true }),
);

export const WARNING_REASONS = listOf<ConfigWarningReason>({
  placeholder_secret: true,
  short_secret: true,
  metrics_exposed: true,
  no_expiry: true,
  ttl_short: true,
});

export const EVENT_TYPES = listOf<ServerEventType>({
  'connection.opened': true,
  'connection.closed': true,
  'request.received': true,
  'request.completed': true,
  'request.failed': true,
  'signature.checked': true,
  'signature.refused': true,
  'upload.refused': true,
  'upload.created': true,
  'upload.suspended': true,
  'upload.completed': true,
  'upload.discarded': true,
  'upload.expired': true,
  'version.rotated': true,
  'version.removed': true,
  'file.deleted': true,
  'deletion.completed': true,
  'file.expired': true,
  'expiry.completed': true,
  'expiry.suspended': true,
  'download.completed': true,
  'download.aborted': true,
  'download.refused': true,
  'worker.crashed': true,
  'pool.saturated': true,
  'readers.stalled': true,
  'storage.degraded': true,
  'config.reloaded': true,
  'config.rejected': true,
  'server.started': true,
  'server.failed': true,
  'server.stopping': true,
  'server.stopped': true,
});
export const EVENT_TYPE = new ClosedLabel('type', EVENT_TYPES);
