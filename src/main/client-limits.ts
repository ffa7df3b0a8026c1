/**
 * How much one client may do at once. A client is an IPv4 address or a network of IPv6 (/64), as trusted proxies name it;
 * whoever has no address of its own, such as a proxy that names nobody, is not limited.
 */

import type { AddressCounts } from '../shared/address-counts.ts';
import { clientOf } from './http/client-address.ts';
import type { Exchange } from './http/exchange.ts';

/** What is counted; null: no limit. */
export interface ClientLimit {
  readonly counts: AddressCounts;
  readonly max: () => number | null;
}

/**
 * Counts the exchange until it is over. False: its client does as much as it may already, and the exchange is not counted.
 */
export function admitClient(exchange: Exchange, { counts, max }: ClientLimit): boolean {
  const limit = max();
  if (limit === null) return true;
  const client = clientOf(exchange);
  if (client === null) return true;
  // Counted before it is looked at: others may be let in at the same moment.
  if (counts.addAndSum(client, 1) > limit) {
    counts.addAndSum(client, -1);
    return false;
  }
  const release = (): void => void counts.addAndSum(client, -1);
  exchange.onAnswered(release);
  exchange.onGone(release);
  return true;
}
