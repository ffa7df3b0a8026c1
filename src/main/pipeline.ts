/**
 * One request's life: route, parse, authorise, execute, respond. The one place that renders errors, and the one place
 * that says what became of a request.
 */

import type { EventPublisher, Route } from '../shared/events.ts';
import type { FileKey } from '../shared/files.ts';
import type { ResourceName } from '../shared/resumable.ts';
import { parseRequestTarget, type RequestTarget } from './auth/request-target.ts';
import { parseSlotQuery, type SlotParameters } from './auth/slot-parameters.ts';
import { admitClient, type ClientLimit } from './client-limits.ts';
import type { DeleteService } from './deletion/delete-service.ts';
import type { DownloadService } from './download/download-service.ts';
import { commonFields } from './http/common-fields.ts';
import { preflightFields } from './http/cors.ts';
import type { Exchange, RequestHead } from './http/exchange.ts';
import type { ResponseFields } from './http/field-line.ts';
import { allValues } from './http/fields.ts';
import { framingProblems, methodNotAllowed, type Problem, problems } from './http/problem.ts';
import { RequestLife } from './request-life.ts';
import { parseResourceName } from './upload/resource-url.ts';
import type { UploadProtocol, UploadRequest, UploadRequestTarget } from './upload/upload-protocol.ts';
import type { UploadService } from './upload/upload-service.ts';
import { causeOf, type ExplainMismatch, UploadRoute } from './upload-route.ts';

const FILE_METHODS = ['OPTIONS', 'GET', 'HEAD', 'PUT'];
/** Where no protocol with such resources is spoken. */
const RESOURCE_METHODS = ['OPTIONS'];
/**
 * What is not an upload may have a body without a meaning (RFC 9110 §9.3.1). It is read first, so that what follows it on
 * the connection is known to be a request.
 */
const MAX_IDLE_BODY_BYTES = 64 * 1024;
const UPLOAD_METHODS: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH']);
/** What a POST may say that it is (tus, X-HTTP-Method-Override). */
const OVERRIDING_METHODS: ReadonlySet<string> = new Set(['PATCH', 'DELETE', 'HEAD']);

/** No upload is called so. */
const nobody: ResourceName = { id: '0'.repeat(32), mac: '' };

export interface PipelineOptions {
  readonly basePath: string;
  readonly uploads: UploadService;
  readonly downloads: DownloadService;
  readonly deletions: DeleteService;
  /** Of one client: requests in progress, and the uploads among them. */
  readonly clientRequests: ClientLimit;
  readonly clientUploads: ClientLimit;
  readonly explain: ExplainMismatch;
  /** In order: the first that recognizes a request gets it. */
  readonly protocols: readonly UploadProtocol[];
  readonly events: EventPublisher;
}

export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly uploads: UploadRoute;

  constructor(options: PipelineOptions) {
    this.options = options;
    this.uploads = new UploadRoute(options);
  }

  /** Takes a request in the turn in which it arrived. Never throws. */
  handle(exchange: Exchange): void {
    const target = parseRequestTarget(targetPath(exchange.head), this.options.basePath);
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
    const method = methodOf(head);
    if (method === null) return problems.badRequest;
    if (method === 'OPTIONS') {
      request.exchange.respond({ status: 200, fields: this.describe(), body: '' });
      return null;
    }
    switch (target.kind) {
      case 'outside':
        return problems.notFound;
      case 'refused':
        return problems.badRequest;
      case 'upload-resource':
        return this.dispatchResource(request, method, target.name);
      case 'file':
        return this.dispatchFile(request, method, target.key);
      default:
        return target satisfies never;
    }
  }

  /** Every way in which the name of an upload can be wrong ends where an unknown one does. */
  private dispatchResource(request: RequestLife, method: string, text: string): Problem | null {
    const name = parseResourceName(text) ?? nobody;
    if (this.upload(request, method, { kind: 'resource', name })) return null;
    return method === 'GET' || method === 'HEAD' ? problems.notFound : methodNotAllowed(RESOURCE_METHODS);
  }

  private dispatchFile(request: RequestLife, method: string, key: FileKey): Problem | null {
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
    const { parameters } = query;
    if (this.upload(request, method, { kind: 'slot', key, parameters })) return null;
    return methodNotAllowed(deletions.isEnabled ? [...FILE_METHODS, 'DELETE'] : FILE_METHODS);
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

  private upload(request: RequestLife, method: string, target: UploadRequestTarget): boolean {
    const { head } = request.exchange;
    const upload: UploadRequest = { head, method, target, nowSeconds: Math.floor(Date.now() / 1000) };
    return this.uploads.take(request, upload);
  }

  /** The same for all that anybody may ask about, so that it needs no authorisation. */
  private describe(): ResponseFields {
    return [...commonFields, ...preflightFields, ...this.options.protocols.flatMap((protocol) => protocol.describe())];
  }
}

const deleted = { status: 204, fields: commonFields, length: 0 } as const;

/** tus clients are configured with endpoints that end in a slash; nothing else that they POST to has one. */
function targetPath({ method, path }: RequestHead): string {
  return method === 'POST' && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** What the request wants to be taken for; null: something that it may not say. */
function methodOf({ method, fields }: RequestHead): string | null {
  if (method !== 'POST') return method;
  const [override, ...others] = allValues(fields, 'x-http-method-override');
  if (override === undefined) return method;
  return others.length === 0 && OVERRIDING_METHODS.has(override) ? override : null;
}

function routeOf(exchange: Exchange, target: RequestTarget): Route {
  if (exchange.head.method === 'OPTIONS' && target.kind === 'outside') return '*';
  if (target.kind === 'outside') return 'other';
  return target.kind === 'upload-resource' ? '/{upload}' : '/{file}';
}
