/** The memory that all data planes of this process share, so that limits and figures count all of them together. */

import { AddressCounts } from '../shared/address-counts.ts';
import { ContentGenerations } from '../shared/content-generations.ts';
import { SharedCount } from '../shared/shared-count.ts';
import { SharedFlag } from '../shared/shared-flag.ts';
import { TrafficCount } from '../shared/traffic-count.ts';

/** Plain data: crosses thread boundaries. */
export interface SharedMemory {
  /** Requests in progress of each client, and the uploads among them. */
  readonly clientRequests: SharedArrayBuffer;
  readonly clientUploads: SharedArrayBuffer;
  /** Open client connections. */
  readonly connections: SharedArrayBuffer;
  /** Requests that have not been answered completely. */
  readonly requests: SharedArrayBuffer;
  /** Requests of which the body of the answer is on its way: they read, and write nothing. */
  readonly streams: SharedArrayBuffer;
  /** Uploads whose outcome is open. */
  readonly uploads: SharedArrayBuffer;
  /** Body bytes received and sent. */
  readonly traffic: SharedArrayBuffer;
  /** Of the contents that data planes may keep copies of. */
  readonly generations: SharedArrayBuffer;
  /** Set while the store takes no writes. */
  readonly degraded: SharedArrayBuffer;
}

export function allocateSharedMemory(planes: number): SharedMemory {
  return {
    clientRequests: AddressCounts.allocate(planes),
    clientUploads: AddressCounts.allocate(planes),
    connections: SharedCount.allocate(planes),
    requests: SharedCount.allocate(planes),
    streams: SharedCount.allocate(planes),
    uploads: SharedCount.allocate(planes),
    traffic: TrafficCount.allocate(planes),
    generations: ContentGenerations.allocate(),
    degraded: SharedFlag.allocate(),
  };
}

/** What data planes count. */
export interface OpenCounts {
  readonly connections: SharedCount;
  readonly requests: SharedCount;
  readonly streams: SharedCount;
  readonly uploads: SharedCount;
}

/** The counts as one data plane adds to them. */
export function openCounts(memory: SharedMemory, plane: number): OpenCounts {
  return {
    connections: new SharedCount(memory.connections, plane),
    requests: new SharedCount(memory.requests, plane),
    streams: new SharedCount(memory.streams, plane),
    uploads: new SharedCount(memory.uploads, plane),
  };
}
