/** Counts requests, their answers and their bytes. Labels are the method and the route template, never a path. */

import type { Registry } from 'prom-client';
import type { EventOf } from '../../shared/events.ts';
import { BucketHistogram, DEFAULT_BUCKETS } from './bucket-histogram.ts';
import type { EventSubscriptions } from './event-dispatcher.ts';
import { CODE, METHOD, PATH } from './label-values.ts';
import { LabelledCounter, publishCounter } from './metric-families.ts';

/** Uploads of large files take minutes. */
const REQUEST_BUCKETS = [...DEFAULT_BUCKETS, 30, 60, 300];

/** Answers that a 2.0.2 dashboard counts as downloads: also those to HEAD, and 304. */
const DOWNLOAD_STATUS: ReadonlySet<number> = new Set([200, 206, 304]);

export class RequestMetrics {
  private readonly requests: LabelledCounter;
  private readonly responses: LabelledCounter;
  private readonly duration: BucketHistogram;
  private receivedBytes = 0;
  private sentBytes = 0;
  private downloads = 0;

  constructor(registry: Registry) {
    this.requests = new LabelledCounter(registry, {
      name: 'hmac_http_requests_total',
      help: 'Requests received, by method and route template.',
      labels: [METHOD, PATH],
    });
    this.responses = new LabelledCounter(registry, {
      name: 'hmac_http_responses_total',
      help: 'Answers sent, by method and status code.',
      labels: [METHOD, CODE],
    });
    this.duration = new BucketHistogram(registry, {
      name: 'hmac_http_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer.',
      buckets: REQUEST_BUCKETS,
      labels: [METHOD, PATH],
    });
    this.publishTotals(registry);
  }

  /** Returns what ends it. */
  listen(events: EventSubscriptions): readonly (() => void)[] {
    return [
      events.on('request.received', ({ method, route }) => this.requests.inc(method, route)),
      events.on('request.completed', (event) => this.completed(event)),
      events.on('request.failed', (event) => this.ended(event)),
    ];
  }

  private publishTotals(registry: Registry): void {
    publishCounter(
      registry,
      { name: 'hmac_received_bytes_total', help: 'Bytes of request bodies received, counted when the request ends.' },
      () => this.receivedBytes,
    );
    publishCounter(
      registry,
      { name: 'hmac_sent_bytes_total', help: 'Bytes of answer bodies sent, counted when the request ends.' },
      () => this.sentBytes,
    );
    publishCounter(
      registry,
      {
        name: 'hmac_file_server_downloads_total',
        help: 'GET and HEAD requests for files answered with 200, 206 or 304.',
      },
      () => this.downloads,
    );
  }

  private completed(event: EventOf<'request.completed'>): void {
    this.ended(event);
    const isRetrieval = event.method === 'GET' || event.method === 'HEAD';
    if (isRetrieval && event.route === '/{file}' && DOWNLOAD_STATUS.has(event.status)) this.downloads += 1;
  }

  private ended(event: EventOf<'request.completed' | 'request.failed'>): void {
    if (event.status !== null) this.responses.inc(event.method, String(event.status));
    this.duration.observe(event.durationMs / 1000, event.method, event.route);
    this.receivedBytes += event.bytesIn;
    this.sentBytes += event.bytesOut;
  }
}
