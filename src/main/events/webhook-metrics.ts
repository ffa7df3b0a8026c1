/** What becomes of webhooks: read from who sends them at each scrape. */

import type { Registry } from 'prom-client';
import { publishCounter, publishGauge } from './metric-families.ts';
import type { MetricsSources } from './metrics-sources.ts';

export function publishWebhookMetrics(registry: Registry, sources: MetricsSources): void {
  publishCounter(
    registry,
    { name: 'hmac_webhooks_delivered_total', help: 'Webhooks that their receiver took.' },
    () => sources.webhooks().delivered,
  );
  publishCounter(
    registry,
    { name: 'hmac_webhook_attempts_failed_total', help: 'Attempts to deliver a webhook that failed.' },
    () => sources.webhooks().failed,
  );
  publishCounter(
    registry,
    { name: 'hmac_webhooks_dropped_total', help: 'Webhooks given up: the queue was full, or nobody took them.' },
    () => sources.webhooks().dropped,
  );
  publishGauge(
    registry,
    { name: 'hmac_webhooks_queued', help: 'Webhooks that wait for their receiver.' },
    () => sources.webhooks().queued,
  );
}
