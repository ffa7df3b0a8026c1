/**
 * GET and HEAD whose file the proxy sends itself (nginx, `X-Accel-Redirect`): the store is asked whether the file is
 * there, and the answer names its place instead of carrying its bytes. Conditions and ranges are the proxy's, since it
 * answers with validators of its own.
 */

import type { EventPublisher } from '../../shared/events.ts';
import type { FileKey } from '../../shared/files.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { Answer, Exchange } from '../http/exchange.ts';
import { storageProblems } from '../http/problem.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';
import { DownloadReport } from './download-report.ts';
import type { Refuse } from './lane-download.ts';
import { type Representation, type RepresentationRules, represent } from './representation.ts';

export interface RedirectedDownloadDependencies {
  readonly events: EventPublisher;
  readonly rules: RepresentationRules;
  readonly lane: LaneClient;
  readonly exchange: Exchange;
  readonly key: FileKey;
  /** Both slashes included: `/stored-files/`. */
  readonly prefix: string;
  readonly refuse: Refuse;
  /** Serves a file that the proxy cannot find by the path of its URL. */
  readonly serveOurselves: () => void;
}

/** The answer that hands a file over: `Content-Type`, `Content-Disposition` and `Cache-Control` of it stay ours. */
export function redirectAnswer(prefix: string, key: FileKey, { fields }: Representation): Answer {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return { status: 200, fields: [...fields, ['X-Accel-Redirect', `${prefix}${path}`]], body: '' };
}

export class RedirectedDownload implements TransferListener {
  private readonly context: RedirectedDownloadDependencies;
  private readonly report: DownloadReport;
  private readonly transfer: number;
  private isOurs = false;

  constructor(context: RedirectedDownloadDependencies) {
    this.context = context;
    this.report = new DownloadReport(context.exchange, context.events);
    this.transfer = context.lane.begin(this);
  }

  open(): void {
    const { lane, key, exchange } = this.context;
    exchange.onGone((reason) => {
      lane.end(this.transfer);
      if (!this.isOurs) this.report.aborted(reason);
    });
    lane.send({ type: 'download.open', transfer: this.transfer, key, offset: 0, buffer: null }, null);
  }

  receive(message: TransferMessage): void {
    this.context.lane.end(this.transfer);
    if (message.type === 'download.opened') this.opened(message);
    else if (message.type === 'download.failed') this.failed(message.failure);
    else throw new Error(`unexpected ${message.type} for a download`);
  }

  laneLost(failure: StorageFailure): void {
    this.failed(failure);
  }

  private opened(message: Extract<TransferMessage, { type: 'download.opened' }>): void {
    const { exchange, key, prefix, rules, serveOurselves } = this.context;
    if (!message.isAtOwnPath) {
      this.isOurs = true;
      serveOurselves();
      return;
    }
    this.report.fileId = message.fileId;
    exchange.onAnswered(() => this.report.completed());
    exchange.respond(redirectAnswer(prefix, key, represent(key, message.file, rules, message.expiresMs)));
  }

  private failed(failure: StorageFailure): void {
    const problem = storageProblems[failure.code];
    this.report.refused(problem.status);
    this.context.refuse(problem, failure.code === 'not-found' ? null : failure);
  }
}
