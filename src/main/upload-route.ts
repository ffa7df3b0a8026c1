/**
 * The way of a request that uploads: the first protocol that recognizes it parses it to a command, the service executes
 * that, and the same protocol renders what became of it.
 */

import type { SignatureHint } from '../shared/signature.ts';
import type { UploadGrant } from './auth/grant.ts';
import type { Cause, RequestLife } from './request-life.ts';
import type { UploadEnd } from './upload/running-upload.ts';
import type { UploadCommand, UploadProtocol, UploadRequest } from './upload/upload-protocol.ts';
import type { UploadService } from './upload/upload-service.ts';

/** Finds out why a signature did not verify, and calls back once. */
export type ExplainMismatch = (grant: UploadGrant, onHint: (hint: SignatureHint | null) => void) => void;

export interface UploadRouteDependencies {
  /** In order: the first that recognizes a request gets it. */
  readonly protocols: readonly UploadProtocol[];
  readonly uploads: UploadService;
  readonly explain: ExplainMismatch;
}

export class UploadRoute {
  private readonly protocols: readonly UploadProtocol[];
  private readonly uploads: UploadService;
  private readonly explain: ExplainMismatch;

  constructor(dependencies: UploadRouteDependencies) {
    this.protocols = dependencies.protocols;
    this.uploads = dependencies.uploads;
    this.explain = dependencies.explain;
  }

  /** Answers the request, at once or later. False: no protocol recognizes it. */
  take(request: RequestLife, upload: UploadRequest): boolean {
    const protocol = this.protocols.find((candidate) => candidate.recognizes(upload));
    if (protocol === undefined) return false;
    const parsed = protocol.parse(upload);
    if (parsed.kind === 'refused') {
      const { signature, disallowedExtension } = parsed;
      if (signature !== null) request.signatureRefused(signature);
      if (disallowedExtension !== null) request.extensionRefused(disallowedExtension);
      request.answer(protocol.reject({ problem: parsed.problem, failure: null }, upload), null);
    } else this.execute(request, protocol, upload, parsed.command);
    return true;
  }

  private execute(request: RequestLife, protocol: UploadProtocol, upload: UploadRequest, command: UploadCommand): void {
    const { grant } = command;
    this.uploads.execute(command, request.exchange, (end: UploadEnd) => {
      if (end.kind === 'done') {
        request.answer(protocol.respond(end.outcome, upload), null);
        return;
      }
      const { problem, failure } = end;
      if (failure?.code === 'signature-mismatch' && grant !== null) {
        this.explainTo(request, grant);
      }
      request.answer(protocol.reject({ problem, failure }, upload), causeOf(failure));
    });
  }

  /** Told in the log once the reason has been looked for; the client does not wait for it. */
  private explainTo(request: RequestLife, grant: UploadGrant): void {
    const { triedTypes, signature } = grant;
    const { scheme } = signature;
    this.explain(grant, (hint) => request.signatureRefused({ scheme, result: 'mismatch', triedTypes, hint }));
  }
}

/** What a worker's failure is called in the events about a request. */
export function causeOf(failure: { readonly code: string; readonly detail: string } | null): Cause | null {
  return failure === null ? null : { code: failure.code, message: failure.detail };
}
