/** Counts old contents of files: how many were kept, and how many had to go for younger ones. */

import type { Registry } from 'prom-client';
import type { EventSubscriptions } from './event-dispatcher.ts';
import { publishCounter } from './metric-families.ts';

export class VersionMetrics {
  private created = 0;
  private removed = 0;

  constructor(registry: Registry) {
    publishCounter(
      registry,
      { name: 'hmac_versions_created_total', help: 'Contents that became versions because they were replaced.' },
      () => this.created,
    );
    publishCounter(
      registry,
      { name: 'hmac_versions_removed_total', help: 'Versions removed because there were more than MaxVersions.' },
      () => this.removed,
    );
  }

  /** Returns what ends it. */
  listen(events: EventSubscriptions): readonly (() => void)[] {
    return [
      events.on('version.rotated', () => {
        this.created += 1;
      }),
      events.on('version.removed', () => {
        this.removed += 1;
      }),
    ];
  }
}
