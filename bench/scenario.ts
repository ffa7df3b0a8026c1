/**
 * What is measured: a scenario is one or more loads that run at the same time against one target. Plain data, so that it crosses
 * threads and stands in the JSON report.
 */

import type { Random } from './random.ts';

/** `append` is a tus 1.0 upload: a creation, then one PATCH per piece. */
export type Operation = 'put' | 'get' | 'head' | 'append';

/** Sizes between two bounds, spread evenly over their logarithm, and how often they come. */
export interface SizeShare {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly weight: number;
}

export interface Load {
  readonly name: string;
  readonly operation: Operation;
  readonly sizes: readonly [SizeShare, ...SizeShare[]];
  /** Bytes per ranged GET, at a random place; null: whole representations. */
  readonly rangeBytes: number | null;
  /** Bytes per PATCH of an append. */
  readonly pieceBytes: number;
  /** How many different files reads choose among. */
  readonly files: number;
  readonly connections: number;
  /** Requests per second of an open loop; null: closed loop, each connection sends when it has its answer. */
  readonly ratePerSecond: number | null;
  readonly arrivals: 'even' | 'poisson';
  readonly durationMs: number;
  /** The load ends after this many requests; null: when the time is over. */
  readonly maxRequests: number | null;
  /** Slow client: bytes per second and connection in the direction of the body; null: as fast as possible. */
  readonly bytesPerSecond: number | null;
  /** A new connection for every request. */
  readonly isChurning: boolean;
  readonly timeoutMs: number;
}

export interface Scenario {
  readonly name: string;
  readonly loads: readonly [Load, ...Load[]];
}

/** No scenario may hold more than this on the target at one time. */
export const MAX_HELD_BYTES = 10e9;

/** Draws one size of the mix. */
export function drawSize(sizes: Load['sizes'], random: Random): number {
  const total = sizes.reduce((sum, share) => sum + share.weight, 0);
  let place = random() * total;
  let chosen: SizeShare = sizes[0];
  for (const share of sizes) {
    chosen = share;
    place -= share.weight;
    if (place < 0) break;
  }
  if (chosen.minBytes === chosen.maxBytes) return chosen.minBytes;
  const low = Math.log(chosen.minBytes + 1);
  const high = Math.log(chosen.maxBytes + 1);
  return Math.min(chosen.maxBytes, Math.floor(Math.exp(low + random() * (high - low)) - 1 + 0.5));
}

/** The largest size that the mix can draw. */
export function largestSize(sizes: Load['sizes']): number {
  return Math.max(...sizes.map((share) => share.maxBytes));
}

/** The mean size of the mix in bytes, near enough to plan with. */
export function meanSize(sizes: Load['sizes']): number {
  let weighted = 0;
  let weights = 0;
  for (const { minBytes, maxBytes, weight } of sizes) {
    const mean = minBytes === maxBytes ? minBytes : (maxBytes - minBytes) / Math.log((maxBytes + 1) / (minBytes + 1));
    weighted += mean * weight;
    weights += weight;
  }
  return weighted / weights;
}

/** True when the load reads files that must be there before it begins. */
export function readsFiles(load: Load): boolean {
  return load.operation === 'get' || load.operation === 'head';
}
