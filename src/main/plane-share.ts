/**
 * How the lanes and the memory of the server are divided among its data planes. Pure. One data plane gets everything;
 * many get enough each to work well, so that from some number on they take more in all.
 */

import type { Config } from './config/config.ts';

const MEBIBYTE = 1024 * 1024;

/** Bounds on the body bytes in memory, in all and for each data plane at least. */
const UPLOAD_BYTES = { inAll: 192 * MEBIBYTE, least: 32 * MEBIBYTE };
/** Download buffers keep lanes busy; a client that takes nothing has no use for one. */
const DOWNLOAD_BYTES = { perLane: 2 * MEBIBYTE, least: 8 * MEBIBYTE };
const CACHE_BYTES = { inAll: 16 * MEBIBYTE, least: 4 * MEBIBYTE };

/** What one data plane may use. */
export interface PlaneShare {
  readonly uploadLanes: number;
  readonly downloadLanes: number;
  /** Places of its lanes begin here; no other data plane has them. */
  readonly firstPlace: number;
  /** Upload bodies in memory. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
  /** Bodies of files that many ask for at once. */
  readonly cacheBytes: number;
}

type DividedSettings = Pick<Config, 'listeners' | 'uploadLanes' | 'downloadLanes'>;

/** One share for each listener. */
export function divideAmongListeners(config: DividedSettings): readonly [PlaneShare, ...PlaneShare[]] {
  const first = shareOf(config, 0, 0);
  const others: PlaneShare[] = [];
  let last = first;
  for (let plane = 1; plane < config.listeners; plane += 1) {
    last = shareOf(config, plane, last.firstPlace + last.uploadLanes + last.downloadLanes);
    others.push(last);
  }
  return [first, ...others];
}

function shareOf(config: DividedSettings, plane: number, firstPlace: number): PlaneShare {
  const { listeners } = config;
  // The remainder goes round the other way, so that nobody gets an extra lane of both kinds before others have one.
  const downloadLanes = part(config.downloadLanes, listeners, listeners - 1 - plane);
  return {
    uploadLanes: part(config.uploadLanes, listeners, plane),
    downloadLanes,
    firstPlace,
    uploadBytes: bytes(UPLOAD_BYTES, listeners),
    downloadBytes: Math.max(DOWNLOAD_BYTES.least, downloadLanes * DOWNLOAD_BYTES.perLane),
    cacheBytes: bytes(CACHE_BYTES, listeners),
  };
}

/** An equal part of a whole number; the first ones get what is left over. */
function part(whole: number, parts: number, index: number): number {
  return Math.floor(whole / parts) + (index < whole % parts ? 1 : 0);
}

function bytes({ inAll, least }: typeof UPLOAD_BYTES, planes: number): number {
  return Math.max(least, Math.floor(inAll / planes));
}
