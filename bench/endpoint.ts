/**
 * Where requests go and how they are signed: plain data that every load thread gets, and the functions that turn a path of the run
 * into request targets. Signatures are those of XEP-0363 upload services (`v`, `v2`).
 */

import { createHmac } from 'node:crypto';

/** What may be read: files that the run uploads, anything by its size (`/16384`), or one given file. */
export type ObjectSource = 'uploaded' | 'by-size' | 'fixed';

/** How files of the run are removed from a target that the harness did not start. */
export type Deletion = { readonly kind: 'none' | 'plain' } | { readonly kind: 'signed'; readonly deleteSecret: string };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** TLS without a check of the certificate. */
  readonly isUntrusted: boolean;
  /** Value of the Host field. */
  readonly authority: string;
  /** Request target of an upload, with `{path}`, `{size}`, `{v}`, `{v2}` in it. */
  readonly writeTemplate: string;
  /** Request target of a read, with `{path}` or `{size}` in it. */
  readonly readTemplate: string;
  readonly secret: string | null;
  /** Content-Type of uploads: `v2` covers it. */
  readonly mediaType: string;
  readonly objects: ObjectSource;
  /** True when what was uploaded can be read again and so be checked. */
  readonly keepsUploads: boolean;
  readonly deletion: Deletion;
}

function sign(secret: string, message: string): string {
  return createHmac('sha256', secret).update(message).digest('hex');
}

function fill(endpoint: Endpoint, template: string, path: string, size: number): string {
  return template.replace(/\{(path|size|v|v2)\}/g, (_, placeholder: string) => {
    if (placeholder === 'path') return path;
    if (placeholder === 'size') return String(size);
    const secret = endpoint.secret ?? '';
    return placeholder === 'v'
      ? sign(secret, `${path} ${size}`)
      : sign(secret, `${path}\0${size}\0${endpoint.mediaType}`);
  });
}

/** The request target that uploads `size` bytes to `path`. */
export function writeTarget(endpoint: Endpoint, path: string, size: number): string {
  return fill(endpoint, endpoint.writeTemplate, path, size);
}

/** The request target that reads what was uploaded to `path`. */
export function readTarget(endpoint: Endpoint, path: string, size: number): string {
  return fill(endpoint, endpoint.readTemplate, path, size);
}

/** The request target that deletes `path`; null when the target offers no deletion. */
export function deleteTarget(endpoint: Endpoint, path: string): string | null {
  const target = readTarget(endpoint, path, 0);
  switch (endpoint.deletion.kind) {
    case 'none':
      return null;
    case 'plain':
      return target;
    case 'signed': {
      const token = sign(endpoint.secret ?? '', `${path}\0${endpoint.deletion.deleteSecret}`);
      return `${target}?token=${token}`;
    }
  }
}
