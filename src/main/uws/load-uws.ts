/**
 * Loads uWebSockets.js. Its limits are read from the environment at that moment, and its binary exists for some
 * platforms only: both are settled here, before anything else touches it.
 */

import type * as Uws from 'uWebSockets.js';

/** Bytes of a request head; the library's own 4,096 are too few for long signed URLs with cookies. */
const MAX_HEAD_BYTES = 16_384;

/** What the package exports and its typings leave out. */
interface Untyped {
  readonly _cfg: (setting: 'silent') => void;
}

export type UwsModule = typeof Uws;

/** Errors: a text for the operator, when this Node or platform has no native binary. */
export async function loadUws(): Promise<UwsModule> {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_HEAD_BYTES);
  try {
    const module = (await import('uWebSockets.js')) as UwsModule & Untyped;
    // Otherwise every answer names the library.
    module._cfg('silent');
    return module;
  } catch (error) {
    const platform = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
    throw new Error(
      `uWebSockets.js has no native binary for this platform (${platform}). Use Node 20 or 22 on Linux with glibc, macOS or ` +
        'Windows, and install with optional dependencies under the same Node version: npm ci',
      { cause: error },
    );
  }
}
