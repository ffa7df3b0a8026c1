/**
 * Uploads whose outcome is open, by protocol, counted together by all data planes of the process: whoever adds first and
 * looks then never lets more in than a limit allows.
 */

import type { UploadProtocol } from '../../shared/events.ts';
import type { SharedCount } from '../../shared/shared-count.ts';

export type ProtocolCounts = Readonly<Record<UploadProtocol, SharedCount>>;

export class UploadsInFlight {
  private readonly counts: ProtocolCounts;

  constructor(counts: ProtocolCounts) {
    this.counts = counts;
  }

  /** Counts one in; returns how many there are with it, of all protocols. */
  begin(protocol: UploadProtocol): number {
    this.counts[protocol].add(1);
    return this.total;
  }

  end(protocol: UploadProtocol): void {
    this.counts[protocol].add(-1);
  }

  of(protocol: UploadProtocol): number {
    return this.counts[protocol].total;
  }

  get total(): number {
    const { put, range, tus, ietf } = this.counts;
    return put.total + range.total + tus.total + ietf.total;
  }

  /** Of this data plane alone. */
  get own(): number {
    const { put, range, tus, ietf } = this.counts;
    return put.own + range.own + tus.own + ietf.own;
  }
}
