/** What the metrics read from the rest of the server at each scrape. */

import type { UploadProtocol } from '../../shared/events.ts';
import type { ConfigWarningReason } from '../config/config.ts';
import type { LagReading } from './event-loop-lag.ts';

/** Figures that others keep. Each function returns at once and never throws. */
export interface MetricsSources {
  /** What `/readyz` says. */
  isReady(): boolean;
  /** Received and not yet answered to the end. */
  requestsInFlight(): number;
  /** On the public port. */
  openConnections(): number;
  uploadsInFlight(protocol: UploadProtocol): number;
  /** Begun and not completed, whether their clients are there or not. */
  unfinishedUploads(): number;
  unfinishedUploadBytes(): number;
  poolStats(): { readonly workers: number; readonly busy: number; readonly queued: number };
  /** null: not known yet. */
  storeFreeBytes(): number | null;
  isStoreDegraded(): boolean;
  /** Nothing expires, because the wall clock has jumped. */
  isExpirySuspended(): boolean;
  configWarnings(): ReadonlySet<ConfigWarningReason>;
  /** Lateness of event loops on other threads since the last call; null: there are none. */
  listenerLag(): LagReading | null;
  /** All 0 without webhooks. */
  webhooks(): {
    readonly delivered: number;
    readonly failed: number;
    readonly dropped: number;
    readonly queued: number;
  };
  droppedEvents(): number;
  droppedLogLines(): number;
}
