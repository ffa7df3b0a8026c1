/**
 * How the messages of small transfers cross between threads. Structured clone writes and reads the name of every property
 * of every object; a list of the values alone takes a third of the time. What is said once for each file is packed so, all
 * other messages cross as they are.
 */

import type { FromLane, ToLane } from './messages.ts';
import type { SignatureCheck, SignedMessage, SignedTerms } from './signature.ts';

type UploadOpen = Extract<ToLane, { type: 'upload.open' }>;
type UploadStored = Extract<FromLane, { type: 'upload.stored' }>;
type DownloadOpen = Extract<ToLane, { type: 'download.open' }>;
type DownloadOpened = Extract<FromLane, { type: 'download.opened' }>;

type PackedUploadOpen = readonly [
  type: UploadOpen['type'],
  transfer: number,
  uploadId: string,
  key: UploadOpen['key'],
  size: number,
  digests: UploadOpen['digests'],
  keepVersions: number | null,
  isResumable: boolean,
  scheme: SignatureCheck['scheme'],
  mac: string,
  text: string,
  storedType: string | null,
  otherReadings: readonly SignedMessage[],
  usableUntilMs: SignedTerms['usableUntilMs'],
  expiresAtMs: SignedTerms['expiresAtMs'],
  owner: SignedTerms['owner'],
  /** null: there is no piece. */
  buffer: ArrayBuffer | null,
  length: number,
  isLast: boolean,
];

type PackedFile = readonly [
  size: number,
  modifiedMs: number,
  validator: string,
  mediaType: string | null,
  sha256: string | null,
];

type PackedUploadStored = readonly [
  type: UploadStored['type'],
  transfer: number,
  size: number,
  sha256: string | null,
  replaced: UploadStored['replaced'],
  fileId: string,
  secret: UploadStored['verified']['secret'],
  buffer: ArrayBuffer,
];

type PackedDownloadOpen = readonly [
  type: DownloadOpen['type'],
  transfer: number,
  key: DownloadOpen['key'],
  offset: number,
  buffer: ArrayBuffer | null,
];

type PackedDownloadOpened = readonly [
  type: DownloadOpened['type'],
  transfer: number,
  ...file: PackedFile,
  fileId: string,
  expiresMs: number | null,
  isAtOwnPath: boolean,
  buffer: ArrayBuffer | null,
  length: number,
  isOpen: boolean,
];

/** A message to a lane as it crosses. */
export type PackedToLane = Exclude<ToLane, UploadOpen | DownloadOpen> | PackedUploadOpen | PackedDownloadOpen;
/** A message from a lane as it crosses. */
export type PackedFromLane =
  | Exclude<FromLane, UploadStored | DownloadOpened>
  | PackedUploadStored
  | PackedDownloadOpened;

/** The lane's end of the channel: what of a MessagePort is needed. */
export interface PackedPort {
  postMessage(messages: readonly PackedFromLane[], moved: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (messages: readonly PackedToLane[]) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

export function packToLane(message: ToLane): PackedToLane {
  switch (message.type) {
    case 'upload.open':
      return packUploadOpen(message);
    case 'download.open':
      return [message.type, message.transfer, message.key, message.offset, message.buffer];
    default:
      return message;
  }
}

export function unpackToLane(packed: PackedToLane): ToLane {
  if (!isList(packed)) return packed;
  if (packed[0] === 'upload.open') return unpackUploadOpen(packed);
  const [type, transfer, key, offset, buffer] = packed;
  return { type, transfer, key, offset, buffer };
}

export function packFromLane(message: FromLane): PackedFromLane {
  switch (message.type) {
    case 'upload.stored':
      return packUploadStored(message);
    case 'download.opened':
      return packDownloadOpened(message);
    default:
      return message;
  }
}

export function unpackFromLane(packed: PackedFromLane): FromLane {
  if (!isList(packed)) return packed;
  return packed[0] === 'upload.stored' ? unpackUploadStored(packed) : unpackDownloadOpened(packed);
}

/** `Array.isArray` does not tell read-only lists from objects. */
function isList<T>(packed: T): packed is Extract<T, readonly unknown[]> {
  return Array.isArray(packed);
}

function packUploadOpen(message: UploadOpen): PackedUploadOpen {
  const { type, transfer, uploadId, key, size, digests, keepVersions, isResumable, signature, terms, piece } = message;
  const [{ text, storedType }, ...otherReadings] = signature.messages;
  return [
    type,
    transfer,
    uploadId,
    key,
    size,
    digests,
    keepVersions,
    isResumable,
    signature.scheme,
    signature.mac,
    text,
    storedType,
    otherReadings,
    terms.usableUntilMs,
    terms.expiresAtMs,
    terms.owner,
    piece?.buffer ?? null,
    piece?.length ?? 0,
    piece?.isLast ?? false,
  ];
}

function unpackUploadOpen(packed: PackedUploadOpen): UploadOpen {
  const [
    type,
    transfer,
    uploadId,
    key,
    size,
    digests,
    keepVersions,
    isResumable,
    scheme,
    mac,
    text,
    storedType,
    otherReadings,
    usableUntilMs,
    expiresAtMs,
    owner,
    buffer,
    length,
    isLast,
  ] = packed;
  const signature: SignatureCheck = { scheme, mac, messages: [{ text, storedType }, ...otherReadings] };
  const terms: SignedTerms = { usableUntilMs, expiresAtMs, owner };
  const piece = buffer === null ? null : { buffer, length, isLast };
  return { type, transfer, uploadId, key, size, digests, keepVersions, isResumable, signature, terms, piece };
}

function packUploadStored({ type, transfer, file, replaced, verified, buffer }: UploadStored): PackedUploadStored {
  const { fileId, secret } = verified;
  return [type, transfer, file.size, file.sha256, replaced, fileId, secret, buffer];
}

function unpackUploadStored(packed: PackedUploadStored): UploadStored {
  const [type, transfer, size, sha256, replaced, fileId, secret, buffer] = packed;
  return { type, transfer, file: { size, sha256 }, replaced, verified: { fileId, secret }, buffer };
}

function packDownloadOpened(message: DownloadOpened): PackedDownloadOpened {
  const { type, transfer, file, fileId, expiresMs, isAtOwnPath, buffer, length, isOpen } = message;
  const { size, modifiedMs, validator, type: mediaType, sha256 } = file;
  const facts = [size, modifiedMs, validator, mediaType, sha256] as const;
  return [type, transfer, ...facts, fileId, expiresMs, isAtOwnPath, buffer, length, isOpen];
}

function unpackDownloadOpened(packed: PackedDownloadOpened): DownloadOpened {
  const [type, transfer, size, modifiedMs, validator, mediaType, sha256, ...behind] = packed;
  const [fileId, expiresMs, isAtOwnPath, buffer, length, isOpen] = behind;
  const file = { size, modifiedMs, validator, type: mediaType, sha256 };
  return { type, transfer, file, fileId, expiresMs, isAtOwnPath, buffer, length, isOpen };
}
