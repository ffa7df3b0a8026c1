/** The endpoint of a server that the harness started: plain HTTP on loopback, no deletion needed. */

import type { Endpoint } from '../endpoint.ts';

export function loopbackEndpoint(
  port: number,
  particular: Pick<Endpoint, 'writeTemplate' | 'readTemplate'> & Partial<Endpoint>,
): Endpoint {
  return {
    host: '127.0.0.1',
    port,
    isTls: false,
    isUntrusted: false,
    authority: `127.0.0.1:${port}`,
    secret: null,
    mediaType: 'application/octet-stream',
    objects: 'uploaded',
    keepsUploads: true,
    deletion: { kind: 'none' },
    ...particular,
  };
}
