/** Makes signed URLs the way issuers do, for `sign` and for the example that the server prints. */

import { createHmac } from 'node:crypto';
import type { FileKey } from '../../shared/files.ts';
import { fullPath } from '../auth/request-target.ts';
import type { Config, ListenAddress } from '../config/config.ts';
import { formatHostPort, isWildcard } from '../config/host-port.ts';

export const slotProtocols = ['v', 'v2', 'token', 'v3'] as const;
export type SlotProtocol = (typeof slotProtocols)[number];

/** A file on a server. */
interface FileUrlInput {
  /** Scheme and host, without a slash at the end. */
  readonly origin: string;
  readonly config: Pick<Config, 'secret' | 'basePath' | 'signedPath'>;
  readonly key: FileKey;
}

export interface SlotUrlInput extends FileUrlInput {
  /** Decimal digits without leading zeros. */
  readonly sizeBytes: string;
  /** The media type that v2 and token sign. */
  readonly type: string;
  readonly protocol: SlotProtocol;
  /** Unix time; v3 only. */
  readonly expiresAtSeconds: number;
}

/** Percent-encodes everything but the unreserved characters (RFC 3986 §2.3). */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A path as URLs carry it: slashes stay, each segment is encoded. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

/** The URL of a file, as it is fetched. */
export function createFileUrl({ origin, config, key }: FileUrlInput): string {
  return `${origin}${config.basePath}${encodePath(key)}`;
}

/** The URL with which a file can be deleted (Metronome). */
export function createDeleteUrl(input: FileUrlInput & { readonly deleteSecret: string }): string {
  const text = `${signedPath(input)}\0${input.deleteSecret}`;
  return `${createFileUrl(input)}?token=${macOf(input, text)}`;
}

function signedPath({ config, key }: FileUrlInput): string {
  return config.signedPath === 'full' ? fullPath(key, config.basePath) : key;
}

function macOf({ config }: FileUrlInput, text: string): string {
  return createHmac('sha256', config.secret).update(text).digest('hex');
}

/** The text under the HMAC. */
function signedText(input: SlotUrlInput): string {
  const { config, key, sizeBytes, type, protocol, expiresAtSeconds } = input;
  const path = signedPath(input);
  switch (protocol) {
    case 'v':
      return `${path} ${sizeBytes}`;
    case 'v2':
    case 'token':
      return `${path}\0${sizeBytes}\0${type}`;
    case 'v3':
      return `PUT\n${expiresAtSeconds}\n/${fullPath(key, config.basePath)}`;
    default:
      return protocol satisfies never;
  }
}

/** The URL to which a file of exactly this size (and, with v2 and token, this type) can be uploaded with PUT. */
export function createSlotUrl(input: SlotUrlInput): string {
  const expires = input.protocol === 'v3' ? `&expires=${input.expiresAtSeconds}` : '';
  return `${createFileUrl(input)}?${input.protocol}=${macOf(input, signedText(input))}${expires}`;
}

/** Where the server is reached from this machine; null: a unix socket, or a port that is not known yet. */
export function localOrigin(listen: ListenAddress, isTls: boolean): string | null {
  if (listen.kind === 'unix' || listen.port === 0) return null;
  const host = isWildcard(listen.host) ? 'localhost' : listen.host;
  return `${isTls ? 'https' : 'http'}://${formatHostPort({ host, port: listen.port })}`;
}
