/**
 * Upload-Concat (tus, Concatenation): `partial`, or `final;` and the URLs of the parts. The URLs are read, never
 * fetched, and one on another host is refused even when it ends in the name of an upload of ours.
 */

import type { Concatenation, ResourceName } from '../../shared/resumable.ts';
import { parseRequestTarget } from '../auth/request-target.ts';
import { type PublicPlace, parseResourceName } from './resource-url.ts';

const FINAL = 'final;';
const absoluteUrl = /^(https?:\/\/([^/?#]+))(\/.*)$/i;
const visibleText = /^[!-~ ]+$/;

/** null: neither form, no parts at all, or a part that is no upload of this server. `host`: the request's Host field. */
export function parseUploadConcat(text: string, place: PublicPlace, host: string | null): Concatenation | null {
  if (text === 'partial') return { kind: 'partial' };
  if (!text.startsWith(FINAL) || !visibleText.test(text)) return null;
  const parts: ResourceName[] = [];
  for (const url of text.slice(FINAL.length).split(' ')) {
    if (url === '') continue;
    const part = parsePart(url, place, host);
    if (part === null) return null;
    parts.push(part);
  }
  return parts.length === 0 ? null : { kind: 'final', parts, text };
}

function parsePart(url: string, place: PublicPlace, host: string | null): ResourceName | null {
  const path = localPath(url, place, host);
  if (path === null) return null;
  const target = parseRequestTarget(path, place.basePath);
  return target.kind === 'upload-resource' ? parseResourceName(target.name) : null;
}

/**
 * Clients resolve a Location that is a path against the URL that they use, and send the result: so our own host is the
 * one that the request names, or the configured origin.
 */
function localPath(url: string, { publicOrigin }: PublicPlace, host: string | null): string | null {
  if (url.startsWith('/')) return url;
  const [, origin = '', authority = '', path = ''] = absoluteUrl.exec(url) ?? [];
  const isOurs = authority !== '' && authority.toLowerCase() === host?.toLowerCase();
  return isOurs || (origin !== '' && origin.toLowerCase() === publicOrigin?.toLowerCase()) ? path : null;
}
