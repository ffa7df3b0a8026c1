/** The memory that all data planes of this process share, so that limits and figures count all of them together. */

import { AddressCounts } from '../shared/address-counts.ts';
import { ContentGenerations } from '../shared/content-generations.ts';
import type { UploadProtocol } from '../shared/events.ts';
import { SharedCount } from '../shared/shared-count.ts';
import { SharedFlag } from '../shared/shared-flag.ts';
import { TrafficCount } from '../shared/traffic-count.ts';
import { UploadsInFlight } from './upload/uploads-in-flight.ts';
import { StalledReaders, type StalledReadersMemory } from './uws/stalled-readers.ts';

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
  readonly uploads: Readonly<Record<UploadProtocol, SharedArrayBuffer>>;
  /** Body bytes received and sent. */
  readonly traffic: SharedArrayBuffer;
  /** Of the contents that data planes may keep copies of. */
  readonly generations: SharedArrayBuffer;
  /** Downloads whose clients take nothing. */
  readonly stalledReaders: StalledReadersMemory;
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
    uploads: {
      put: SharedCount.allocate(planes),
      range: SharedCount.allocate(planes),
      tus: SharedCount.allocate(planes),
      ietf: SharedCount.allocate(planes),
    },
    traffic: TrafficCount.allocate(planes),
    generations: ContentGenerations.allocate(),
    stalledReaders: StalledReaders.allocate(planes),
    degraded: SharedFlag.allocate(),
  };
}

/** What data planes count. */
export interface OpenCounts {
  readonly connections: SharedCount;
  readonly requests: SharedCount;
  readonly streams: SharedCount;
  readonly uploads: UploadsInFlight;
}

/** The counts as one data plane adds to them. */
export function openCounts(memory: SharedMemory, plane: number): OpenCounts {
  const { put, range, tus, ietf } = memory.uploads;
  return {
    connections: new SharedCount(memory.connections, plane),
    requests: new SharedCount(memory.requests, plane),
    streams: new SharedCount(memory.streams, plane),
    uploads: new UploadsInFlight({
      put: new SharedCount(put, plane),
      range: new SharedCount(range, plane),
      tus: new SharedCount(tus, plane),
      ietf: new SharedCount(ietf, plane),
    }),
  };
}

/** A data plane is gone, with everything that it had counted. */
export function forgetCounts(memory: SharedMemory, plane: number): void {
  const { connections, requests, streams, uploads, clientRequests, clientUploads } = memory;
  for (const count of [connections, requests, streams, ...Object.values(uploads)]) new SharedCount(count, plane).set(0);
  for (const counts of [clientRequests, clientUploads]) new AddressCounts(counts, plane).clear();
  StalledReaders.forgetPlane(memory.stalledReaders, plane);
}
