/**
 * The facts that parts of the server publish. Logging, metrics and webhooks subscribe; nobody else listens. Fields carry
 * their unit in the name. Only `request.*`, `version.*` and `upload.completed` events carry a path, for the log and for
 * webhooks alone, and never a query: it holds the signature.
 */

import type { SignatureHint, SignatureScheme } from './signature.ts';
import type { SweepTotals } from './sweep-report.ts';

/** How an upload came in. */
export type UploadProtocol = 'put' | 'range' | 'tus' | 'ietf';

/** Route templates: the closed list of what a request can be about. */
export type Route = '/{file}' | '/{upload}' | '*' | 'other';

/** Result of looking at a signature. */
export type SignatureResult = 'ok' | 'mismatch' | 'encoding' | 'missing' | 'expired' | 'repeated' | 'path';

/** Why an upload that had passed its signature ended without a file, or a request before its body. */
export type CutReason =
  | 'client'
  | 'timeout'
  | 'handover'
  | 'too_large'
  | 'over_quota'
  | 'no_space'
  | 'io'
  | 'conflict'
  | 'shutdown';

/** What became of a signed DELETE; `absent`: there was no such file. */
export type DeletionResult = 'ok' | 'absent' | 'refused' | 'error';

/** Names one request in an event. */
export interface RequestRef {
  readonly requestId: string;
  /** As sent by the client. */
  readonly method: string;
  readonly route: Route;
  /** The raw path without its query, and without what gives permission to write to an upload. */
  readonly path: string;
  readonly remote: string;
}

/** Names one stored file or upload in an event: joins lines, opens nothing. */
export interface UploadRef {
  readonly uploadId: string;
  readonly fileId: string;
  readonly protocol: UploadProtocol;
}

/** Names one old content of a file. */
export interface VersionRef {
  readonly fileId: string;
  /** Of the file, below the store. */
  readonly path: string;
  readonly versionId: string;
}

export type ServerEventBody =
  | { readonly type: 'connection.opened'; readonly remote: string; readonly open: number }
  | { readonly type: 'connection.closed'; readonly open: number }
  | ({ readonly type: 'request.received'; readonly lengthBytes: number | null } & RequestRef)
  | ({
      readonly type: 'request.completed';
      readonly status: number;
      readonly bytesIn: number;
      readonly bytesOut: number;
      readonly durationMs: number;
    } & RequestRef)
  /**
   * Ended without a complete answer (`status` null or what was being sent), or with 5xx. `code` is `client`, `timeout` or
   * `shutdown` when nothing on our side failed, otherwise it names what did.
   */
  | ({
      readonly type: 'request.failed';
      readonly status: number | null;
      readonly code: string;
      readonly message: string;
      /** Of an exception that nobody expected. */
      readonly stack?: string | undefined;
      readonly bytesIn: number;
      readonly bytesOut: number;
      readonly durationMs: number;
    } & RequestRef)
  | ({
      readonly type: 'signature.checked';
      readonly scheme: SignatureScheme;
      readonly result: SignatureResult;
      readonly secret: 'current' | 'previous' | null;
    } & Pick<RequestRef, 'requestId'>)
  | ({
      readonly type: 'signature.refused';
      readonly scheme: SignatureScheme;
      readonly result: SignatureResult;
      readonly sizeBytes: number | null;
      readonly triedTypes: readonly string[];
      /** null: not known, or there is nothing to be said. */
      readonly hint: SignatureHint | null;
    } & RequestRef)
  /** Refused for the extension of its name, which the configuration does not allow. */
  | ({ readonly type: 'upload.refused'; readonly extension: string } & RequestRef)
  | ({ readonly type: 'upload.created'; readonly sizeBytes: number | null } & UploadRef)
  /** A request that brought bytes of it has ended before its body: what arrived is kept, and can be gone on with. */
  | ({
      readonly type: 'upload.suspended';
      readonly offsetBytes: number;
      readonly reason: CutReason;
      /** Since its creation. */
      readonly durationMs: number;
    } & UploadRef)
  | ({
      readonly type: 'upload.completed';
      /** Of the file, below the store: for webhooks. */
      readonly path: string;
      readonly sizeBytes: number;
      /** Since its creation. */
      readonly durationMs: number;
    } & UploadRef)
  | ({
      readonly type: 'upload.discarded';
      readonly receivedBytes: number;
      readonly reason: CutReason;
      readonly durationMs: number;
    } & UploadRef)
  /** An unfinished upload was removed, because its client has not come back in time. */
  | ({ readonly type: 'upload.expired'; readonly offsetBytes: number } & UploadRef)
  /** An upload took the place of a content, which is a version now. */
  | ({ readonly type: 'version.rotated'; readonly uploadId: string; readonly sizeBytes: number } & VersionRef)
  /** There were more versions than are kept. */
  | ({ readonly type: 'version.removed' } & VersionRef)
  /** A file was removed because somebody who may do so asked for it, with all of its old contents. */
  | {
      readonly type: 'file.deleted';
      readonly requestId: string;
      readonly fileId: string;
      readonly sizeBytes: number;
      readonly versions: number;
      /** The old contents included. */
      readonly freedBytes: number;
    }
  /** The end of every signed DELETE. */
  | { readonly type: 'deletion.completed'; readonly requestId: string; readonly result: DeletionResult }
  /** A file was removed because its time was over. */
  | { readonly type: 'file.expired'; readonly fileId: string; readonly sizeBytes: number }
  /** A pass over the whole store is over. `isAnnouncing`: it has only counted what the next one will remove. */
  | ({ readonly type: 'expiry.completed'; readonly durationMs: number } & SweepTotals)
  /** The wall clock has jumped, or is right again: as long as it is wrong nothing is removed. */
  | { readonly type: 'expiry.suspended'; readonly jumpMs: number; readonly recovered: boolean }
  | {
      readonly type: 'download.completed';
      readonly requestId: string;
      readonly fileId: string;
      readonly bytesOut: number;
      readonly durationMs: number;
    }
  /** `reason` is the client's when it left, ours when reading failed or it was too slow. */
  | {
      readonly type: 'download.aborted';
      readonly requestId: string;
      readonly fileId: string;
      readonly bytesOut: number;
      readonly durationMs: number;
      readonly reason: 'client' | 'timeout' | 'io' | 'shutdown';
    }
  /** A GET or HEAD that found no representation to send. */
  | { readonly type: 'download.refused'; readonly requestId: string; readonly status: number }
  | { readonly type: 'worker.crashed'; readonly lane: string; readonly code: string; readonly transfers: number }
  | { readonly type: 'pool.saturated'; readonly uploads: number; readonly limit: number }
  | { readonly type: 'storage.degraded'; readonly code: string; readonly recovered: boolean }
  /** So many readers take nothing at once, of one client (null: of several), that they are let go sooner. */
  | {
      readonly type: 'readers.stalled';
      readonly client: string | null;
      readonly readers: number;
      readonly limit: number;
    }
  | { readonly type: 'config.reloaded'; readonly changed: readonly string[]; readonly needRestart: readonly string[] }
  | { readonly type: 'config.rejected'; readonly message: string }
  | {
      readonly type: 'server.started';
      readonly listen: string;
      readonly metrics: string | null;
      readonly durationMs: number;
    }
  | {
      readonly type: 'server.failed';
      readonly code: string;
      readonly message: string;
      readonly stack?: string | undefined;
      readonly isFatal: boolean;
    }
  | {
      readonly type: 'server.stopping';
      readonly signal: string;
      readonly inFlight: number;
      readonly deadlineMs: number;
    }
  | { readonly type: 'server.stopped'; readonly isClean: boolean; readonly durationMs: number };

export type ServerEventType = ServerEventBody['type'];

/** Added by the dispatcher: order, and wall-clock time in milliseconds since the epoch. */
export interface EventStamp {
  readonly seq: number;
  readonly time: number;
}

export type ServerEvent = ServerEventBody & EventStamp;

/** One kind of event. */
export type EventOf<T extends ServerEventType> = Extract<ServerEventBody, { readonly type: T }> & EventStamp;

/** What publishers see of the dispatcher. Never throws, returns at once, costs nothing when nobody listens. */
export interface EventPublisher {
  publish(event: ServerEventBody): void;
  /** True when somebody would get such an event: guards the cost of building one. */
  wants(type: ServerEventType): boolean;
}
