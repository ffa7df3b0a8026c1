/** Counts uploads, downloads, deletions and signature checks: what became of files and of the right to send them. */

import type { Registry } from 'prom-client';
import type { EventOf } from '../../shared/events.ts';
import { BucketHistogram, DEFAULT_BUCKETS, SIZE_BUCKETS } from './bucket-histogram.ts';
import type { EventSubscriptions } from './event-dispatcher.ts';
import { CUT_REASON, DELETION_RESULT, KEPT, KEY, PROTOCOL, RESULT, SCHEME } from './label-values.ts';
import { LabelledCounter, publishCounter } from './metric-families.ts';

export class TransferMetrics {
  private readonly uploadDuration: BucketHistogram;
  private readonly uploadSize: BucketHistogram;
  private readonly uploadsByProtocol: LabelledCounter;
  private readonly uploadsCut: LabelledCounter;
  private readonly downloadDuration: BucketHistogram;
  private readonly downloadSize: BucketHistogram;
  private readonly signatureChecks: LabelledCounter;
  private readonly signatureKeys: LabelledCounter;
  private readonly deletes: LabelledCounter;
  private uploads = 0;
  private uploadErrors = 0;
  private uploadsExpired = 0;
  private downloadErrors = 0;

  constructor(registry: Registry) {
    this.uploadDuration = new BucketHistogram(registry, {
      name: 'hmac_file_server_upload_duration_seconds',
      help: 'Time from the creation to the end of uploads that passed their signature.',
      buckets: DEFAULT_BUCKETS,
    });
    this.uploadSize = new BucketHistogram(registry, {
      name: 'hmac_file_server_upload_size_bytes',
      help: 'Size of completed files.',
      buckets: SIZE_BUCKETS,
    });
    this.downloadDuration = new BucketHistogram(registry, {
      name: 'hmac_file_server_download_duration_seconds',
      help: 'Time from the head to the last byte of answers that carry bytes of a file.',
      buckets: DEFAULT_BUCKETS,
    });
    this.downloadSize = new BucketHistogram(registry, {
      name: 'hmac_file_server_download_size_bytes',
      help: 'Body bytes of answers that carry bytes of a file.',
      buckets: SIZE_BUCKETS,
    });
    this.uploadsByProtocol = new LabelledCounter(registry, {
      name: 'hmac_uploads_by_protocol_total',
      help: 'Completed files, by the protocol they came by.',
      labels: [PROTOCOL],
    });
    this.uploadsCut = new LabelledCounter(registry, {
      name: 'hmac_uploads_cut_total',
      help: 'Uploads that passed their signature and ended without a file, and requests that ended before their body.',
      labels: [CUT_REASON, KEPT],
    });
    this.signatureChecks = new LabelledCounter(registry, {
      name: 'hmac_signature_checks_total',
      help: 'Signatures looked at, by what was signed and the result.',
      labels: [SCHEME, RESULT],
    });
    this.signatureKeys = new LabelledCounter(registry, {
      name: 'hmac_signature_key_total',
      help: 'Signatures that verified, by the secret that did it.',
      labels: [KEY],
    });
    this.deletes = new LabelledCounter(registry, {
      name: 'hmac_deletes_total',
      help: 'Signed deletions, by what became of them.',
      labels: [DELETION_RESULT],
    });
    this.publishTotals(registry);
  }

  /** Returns what ends it. */
  listen(events: EventSubscriptions): readonly (() => void)[] {
    return [
      events.on('signature.checked', (event) => this.checked(event)),
      events.on('upload.completed', (event) => this.uploaded(event)),
      events.on('upload.suspended', ({ reason }) => this.uploadsCut.inc(reason, 'yes')),
      events.on('upload.discarded', (event) => this.discarded(event)),
      events.on('upload.expired', () => {
        this.uploadsExpired += 1;
      }),
      events.on('deletion.completed', ({ result }) => this.deletes.inc(result)),
      events.on('download.completed', (event) => this.downloaded(event)),
      events.on('download.aborted', ({ reason }) => this.downloadFailed(reason === 'io')),
      events.on('download.refused', ({ status }) => this.downloadFailed(isDownloadError(status))),
    ];
  }

  private publishTotals(registry: Registry): void {
    publishCounter(
      registry,
      { name: 'hmac_file_server_uploads_total', help: 'Completed files, by whatever protocol.' },
      () => this.uploads,
    );
    publishCounter(
      registry,
      {
        name: 'hmac_file_server_upload_errors_total',
        help: 'Uploads that passed their signature and did not end in success, client cuts included.',
      },
      () => this.uploadErrors,
    );
    publishCounter(
      registry,
      {
        name: 'hmac_unfinished_uploads_expired_total',
        help: 'Unfinished uploads that were removed because their clients did not come back.',
      },
      () => this.uploadsExpired,
    );
    publishCounter(
      registry,
      {
        name: 'hmac_file_server_download_errors_total',
        help: 'Downloads that failed: 404, 416, input/output errors.',
      },
      () => this.downloadErrors,
    );
  }

  private checked({ scheme, result, secret }: EventOf<'signature.checked'>): void {
    this.signatureChecks.inc(scheme, result);
    if (result === 'ok' && secret !== null) this.signatureKeys.inc(secret);
  }

  private uploaded({ protocol, sizeBytes, durationMs }: EventOf<'upload.completed'>): void {
    this.uploads += 1;
    this.uploadsByProtocol.inc(protocol);
    this.uploadSize.observe(sizeBytes);
    this.uploadDuration.observe(durationMs / 1000);
  }

  private discarded({ reason, durationMs }: EventOf<'upload.discarded'>): void {
    this.uploadErrors += 1;
    this.uploadsCut.inc(reason, 'no');
    this.uploadDuration.observe(durationMs / 1000);
  }

  private downloaded({ bytesOut, durationMs }: EventOf<'download.completed'>): void {
    // HEAD, 304 and empty files carry no bytes of a file.
    if (bytesOut === 0) return;
    this.downloadSize.observe(bytesOut);
    this.downloadDuration.observe(durationMs / 1000);
  }

  private downloadFailed(isError: boolean): void {
    if (isError) this.downloadErrors += 1;
  }
}

/** A precondition that did not hold (412) is an answer, not an error. */
function isDownloadError(status: number): boolean {
  return status === 404 || status === 416 || status >= 500;
}
