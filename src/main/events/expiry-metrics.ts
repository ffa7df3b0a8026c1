/** Files that expire, and what the store holds: counted as files come and go, and set right by every pass. */

import type { Registry } from 'prom-client';
import type { EventSubscriptions } from './event-dispatcher.ts';
import { publishCounter, publishGauge } from './metric-families.ts';
import type { MetricsSources } from './metrics-sources.ts';

export class ExpiryMetrics {
  private expiredFiles = 0;
  private expiredBytes = 0;
  private storedFiles = 0;
  private storedBytes = 0;
  private endedSeconds = 0;
  private durationSeconds = 0;

  constructor(registry: Registry, sources: MetricsSources) {
    publishCounter(
      registry,
      { name: 'hmac_files_expired_total', help: 'Files removed because their time was over.' },
      () => this.expiredFiles,
    );
    publishCounter(
      registry,
      { name: 'hmac_expired_bytes_total', help: 'Size of the files removed because their time was over.' },
      () => this.expiredBytes,
    );
    publishGauge(
      registry,
      { name: 'hmac_expiry_last_run_timestamp_seconds', help: 'When the last pass over the store ended.' },
      () => this.endedSeconds,
    );
    publishGauge(
      registry,
      { name: 'hmac_expiry_duration_seconds', help: 'How long the last pass over the store took.' },
      () => this.durationSeconds,
    );
    publishGauge(
      registry,
      { name: 'hmac_expiry_suspended', help: '1 while nothing expires because the wall clock has jumped.' },
      () => Number(sources.isExpirySuspended()),
    );
    publishGauge(
      registry,
      { name: 'hmac_store_files', help: 'Stored files, versions not included.' },
      () => this.storedFiles,
    );
    publishGauge(
      registry,
      { name: 'hmac_store_bytes', help: 'Size of the stored files, versions not included.' },
      () => this.storedBytes,
    );
  }

  /** Returns what ends it. */
  listen(events: EventSubscriptions): readonly (() => void)[] {
    return [
      events.on('file.expired', ({ sizeBytes }) => {
        this.expiredFiles += 1;
        this.expiredBytes += sizeBytes;
        this.change(-1, -sizeBytes);
      }),
      events.on('file.deleted', ({ sizeBytes }) => this.change(-1, -sizeBytes)),
      events.on('upload.completed', ({ sizeBytes }) => this.change(1, sizeBytes)),
      events.on('version.rotated', ({ sizeBytes }) => this.change(-1, -sizeBytes)),
      events.on('expiry.completed', ({ files, bytes, removedFiles, removedBytes, durationMs, time }) => {
        this.endedSeconds = time / 1000;
        this.durationSeconds = durationMs / 1000;
        this.storedFiles = files - removedFiles;
        this.storedBytes = bytes - removedBytes;
      }),
    ];
  }

  private change(files: number, bytes: number): void {
    this.storedFiles += files;
    this.storedBytes += bytes;
  }
}
