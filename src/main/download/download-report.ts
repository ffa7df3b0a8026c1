/** What became of one download, told to the dispatcher. */

import type { EventPublisher } from '../../shared/events.ts';
import type { Exchange, GoneReason } from '../http/exchange.ts';

export class DownloadReport {
  /** Set once the file is open. */
  fileId = '';
  private readonly exchange: Exchange;
  private readonly events: EventPublisher;

  constructor(exchange: Exchange, events: EventPublisher) {
    this.exchange = exchange;
    this.events = events;
  }

  refused(status: number): void {
    this.events.publish({ type: 'download.refused', requestId: this.exchange.requestId, status });
  }

  completed(): void {
    if (this.events.wants('download.completed')) this.events.publish({ type: 'download.completed', ...this.figures() });
  }

  aborted(reason: GoneReason): void {
    this.events.publish({ type: 'download.aborted', reason, ...this.figures() });
  }

  private figures(): { requestId: string; fileId: string; bytesOut: number; durationMs: number } {
    const { requestId, bytesOut, startedMs } = this.exchange;
    return { requestId, fileId: this.fileId, bytesOut, durationMs: performance.now() - startedMs };
  }
}
