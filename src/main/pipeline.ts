/**
 * One request's life: route, parse, authorise, execute, respond. The one place that renders errors, and the one place
 * that says what became of a request.
 */

import type { EventPublisher, Route } from '../shared/events.ts';
import type { FileKey } from '../shared/files.ts';
import type { SignatureHint } from '../shared/signature.ts';
import type { StorageFailure } from '../shared/storage-error.ts';
import type { UploadGrant } from './auth/grant.ts';
import { parseRequestTarget, type RequestTarget } from './auth/request-target.ts';
import { parseSlotQuery, type SlotParameters } from './auth/slot-parameters.ts';
import { admitClient, type ClientLimit } from './client-limits.ts';
import type { DeleteService } from './deletion/delete-service.ts';
import type { DownloadService } from './download/download-service.ts';
import { commonFields } from './http/common-fields.ts';
import { preflightFields } from './http/cors.ts';
import type { Exchange } from './http/exchange.ts';
import { framingProblems, methodNotAllowed, type Problem, problems } from './http/problem.ts';
import { type Cause, RequestLife } from './request-life.ts';
import type { SlotUpload, UploadProtocol } from './upload/upload-protocol.ts';
import type { UploadEnd, UploadService } from './upload/upload-service.ts';

const METHODS = ['OPTIONS', 'GET', 'HEAD', 'PUT'];
/**
 * What is not an upload may have a body without a meaning (RFC 9110 §9.3.1). It is read first, so that what follows it on
 * the connection is known to be a request.
 */
const MAX_IDLE_BODY_BYTES = 64 * 1024;
const UPLOAD_METHODS: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH']);

export interface PipelineOptions {
  readonly basePath: string;
  readonly uploads: UploadService;
  readonly downloads: DownloadService;
  readonly deletions: DeleteService;
  /** Of one client: requests in progress, and the uploads among them. */
  readonly clientRequests: ClientLimit;
  readonly clientUploads: ClientLimit;
  /** Finds out why a signature did not verify, and calls back once. */
  readonly explain: (grant: UploadGrant, onHint: (hint: SignatureHint | null) => void) => void;
  /** In order: the first that recognizes a request gets it. */
  readonly protocols: readonly UploadProtocol[];
  readonly events: EventPublisher;
}

export class Pipeline {
  private readonly options: PipelineOptions;

  constructor(options: PipelineOptions) {
    this.options = options;
  }

  /** Takes a request in the turn in which it arrived. Never throws. */
  handle(exchange: Exchange): void {
    const target = parseRequestTarget(exchange.head.path, this.options.basePath);
    const request = new RequestLife(exchange, routeOf(exchange, target), this.options.events);
    this.attempt(request, () => this.receive(request, target));
  }

  /** Answers with the problem that comes out of it, if any. */
  private attempt(request: RequestLife, step: () => Problem | null): void {
    try {
      const problem = step();
      if (problem !== null) request.refuse(problem);
    } catch (error) {
      // Whatever it is, it is a bug of ours, and the client learns nothing of it.
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      request.refuse(problems.internal, { code: 'internal', message, ...(stack === undefined ? {} : { stack }) });
    }
  }

  /** Settles where the request ends before anything is done for it. */
  private receive(request: RequestLife, target: RequestTarget): Problem | null {
    const { exchange } = request;
    const { method, framing } = exchange.head;
    const { body } = framing;
    // What follows on the connection cannot be trusted, whatever the request asks for.
    if (body.kind === 'doubtful') return framingProblems[body.reason];
    if (!this.isAdmitted(exchange)) return problems.tooManyRequests;
    // The same holds for a chunked body, and only uploads have a use for one.
    if (UPLOAD_METHODS.has(method)) return this.dispatch(request, target);
    if (body.kind === 'chunked') return problems.doubtfulFraming;
    if (exchange.isBodyComplete) return this.dispatch(request, target);
    if (body.length > MAX_IDLE_BODY_BYTES) return problems.tooLarge;
    exchange.receiveBody((_chunk, isLast) => {
      if (isLast) this.attempt(request, () => this.dispatch(request, target));
    });
    return null;
  }

  /** Whether the client may do this besides what it does already. */
  private isAdmitted(exchange: Exchange): boolean {
    const { clientRequests, clientUploads } = this.options;
    if (!admitClient(exchange, clientRequests)) return false;
    return !UPLOAD_METHODS.has(exchange.head.method) || admitClient(exchange, clientUploads);
  }

  /** Hands the request to whoever answers it; or gives the problem to answer with. */
  private dispatch(request: RequestLife, target: RequestTarget): Problem | null {
    const { head } = request.exchange;
    if (head.method === 'OPTIONS') {
      request.exchange.respond(preflight);
      return null;
    }
    switch (target.kind) {
      case 'outside':
        return problems.notFound;
      case 'refused':
        return problems.badRequest;
      // Upload resources belong to resumable protocols; none is spoken yet.
      case 'upload-resource':
        return problems.badRequest;
      case 'file':
        return this.dispatchFile(request, target.key);
      default:
        return target satisfies never;
    }
  }

  private dispatchFile(request: RequestLife, key: FileKey): Problem | null {
    const { head } = request.exchange;
    const query = parseSlotQuery(head.query);
    if (query.kind === 'repeated') {
      request.signatureRefused({ scheme: 'none', result: 'repeated' });
      return problems.badRequest;
    }
    if (head.method === 'GET' || head.method === 'HEAD') {
      this.options.downloads.serve(request.exchange, key, (problem, failure) => {
        request.refuse(problem, causeOf(failure));
      });
      return null;
    }
    const { deletions } = this.options;
    if (head.method === 'DELETE' && deletions.isEnabled) {
      this.delete(request, key, query.parameters);
      return null;
    }
    const protocol = this.options.protocols.find((candidate) => candidate.recognizes(head));
    if (protocol === undefined) return methodNotAllowed(deletions.isEnabled ? [...METHODS, 'DELETE'] : METHODS);
    this.upload(request, protocol, { head, key, parameters: query.parameters, nowSeconds: nowSeconds() });
    return null;
  }

  private delete(request: RequestLife, key: FileKey, parameters: SlotParameters): void {
    const { exchange } = request;
    this.options.deletions.execute({ requestId: exchange.requestId, key, parameters }, (end) => {
      if (end.kind === 'done') {
        exchange.respondHead(deleted);
        return;
      }
      const { problem, signature, failure } = end;
      if (signature !== null) request.signatureRefused(signature);
      request.refuse(problem, causeOf(failure));
    });
  }

  private upload(request: RequestLife, protocol: UploadProtocol, upload: SlotUpload): void {
    const parsed = protocol.parse(upload);
    if (parsed.kind === 'refused') {
      const { signature, disallowedExtension } = parsed;
      if (signature !== null) request.signatureRefused(signature);
      if (disallowedExtension !== null) request.extensionRefused(disallowedExtension);
      request.answer(protocol.reject(parsed.problem), null);
      return;
    }
    const { grant } = parsed.command;
    this.options.uploads.execute(parsed.command, request.exchange, (end: UploadEnd) => {
      if (end.kind === 'done') {
        request.answer(protocol.respond(end.outcome), null);
        return;
      }
      if (end.failure?.code === 'signature-mismatch') this.explain(request, grant);
      request.answer(protocol.reject(end.problem), causeOf(end.failure));
    });
  }

  /** Told in the log once the reason has been looked for; the client does not wait for it. */
  private explain(request: RequestLife, grant: UploadGrant): void {
    const { scheme } = grant.signature;
    const { triedTypes } = grant;
    this.options.explain(grant, (hint) => {
      request.signatureRefused({ scheme, result: 'mismatch', triedTypes, hint });
    });
  }
}

const deleted = { status: 204, fields: commonFields, length: 0 } as const;
const preflight = { status: 200, fields: [...commonFields, ...preflightFields], body: '' } as const;

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function routeOf(exchange: Exchange, target: RequestTarget): Route {
  if (exchange.head.method === 'OPTIONS' && target.kind === 'outside') return '*';
  if (target.kind === 'outside') return 'other';
  return target.kind === 'upload-resource' ? '/{upload}' : '/{file}';
}

function causeOf(failure: StorageFailure | null): Cause | null {
  return failure === null ? null : { code: failure.code, message: failure.detail };
}
