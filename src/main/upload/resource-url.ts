/**
 * URLs of uploads in progress: `<base>.hfs/u/<id>.<mac>`. They carry their own authority, because clients drop the query
 * of the slot URL, and they are never built from what a request says about the host.
 */

import { RESERVED_SEGMENT } from '../../shared/files.ts';
import type { ResourceName } from '../../shared/resumable.ts';
import type { ResponseFields } from '../http/field-line.ts';

/** Where clients see this server. */
export interface PublicPlace {
  /** Starts and ends with a slash. */
  readonly basePath: string;
  /** Scheme and authority, without a slash at the end; null: clients resolve paths against what they asked for. */
  readonly publicOrigin: string | null;
}

/** 128 bits as hexadecimal digits, and 128 bits as base64url. */
const resourceName = /^([0-9a-f]{32})\.([0-9A-Za-z_-]{22})$/;

/** Reads what follows `.hfs/u/`; null when no upload can have that name. */
export function parseResourceName(text: string): ResourceName | null {
  const [, id, mac] = resourceName.exec(text) ?? [];
  return id === undefined || mac === undefined ? null : { id, mac };
}

/** Value of Location for an upload: absolute where the public origin is known, else a path. */
export function locationOf({ id, mac }: ResourceName, { basePath, publicOrigin }: PublicPlace): string {
  return `${publicOrigin ?? ''}${basePath}${RESERVED_SEGMENT}/u/${id}.${mac}`;
}

/** For every answer of a protocol with such URLs: they are all that is needed to go on with an upload. */
export const noReferrer = ['Referrer-Policy', 'no-referrer'] as const;

/** For answers that are no problems: those say `no-store` themselves. */
export const resourceFields: ResponseFields = [['Cache-Control', 'no-store'], noReferrer];
