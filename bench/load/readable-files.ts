/** The files that a load reads: uploaded before the measurement, made by the target for any size, or one that is there already. */

import { createHash } from 'node:crypto';
import { type Endpoint, readTarget } from '../endpoint.ts';
import type { Payload } from '../payload.ts';
import type { Load } from '../scenario.ts';
import type { ConnectionSettings } from './connection.ts';
import { type ExpectedContent, payloadContent } from './exchange.ts';
import { type NumberedFile, numberedFile, type ReadableFile, type RequestFactory, uploadedFile } from './requests.ts';
import { sendAll } from './send-all.ts';

/** A given file up to this size is kept and compared byte by byte, a larger one by its digest, now and then. */
const LARGEST_KEPT = 64 * 1024 ** 2;
const DIGEST_EVERY = 8;

/** The files that load number `index` reads. All threads name the same ones. */
export function seedFiles(load: Load, index: number, runId: string): NumberedFile[] {
  return Array.from({ length: load.files }, (_, number) =>
    numberedFile(`${runId}/read-${index}`, load.sizes, 1_000_000 * (index + 1), number),
  );
}

/** Files that exist because the run uploaded them. */
export function uploadedFiles(endpoint: Endpoint, payload: Payload, files: readonly NumberedFile[]): ReadableFile[] {
  return files.map((file) => uploadedFile(endpoint, payload, file));
}

/** Files of a target that answers `/N` with N bytes of the payload from its beginning. */
export function filesBySize(endpoint: Endpoint, payload: Payload, files: readonly NumberedFile[]): ReadableFile[] {
  return files.map(({ size }) => ({
    target: readTarget(endpoint, '', size),
    size,
    content: (from, length) => payloadContent(payload, 0, from, length),
  }));
}

/** Reads the one file of a fixed URL once, and takes what came as what must always come. Throws when it cannot be read. */
export async function learnFile(settings: ConnectionSettings, factory: RequestFactory): Promise<ReadableFile> {
  const target = readTarget(settings.endpoint, '', 0);
  const pieces: Buffer[] = [];
  const hash = createHash('sha256');
  let size = 0;
  const learning: ExpectedContent = {
    lengthBytes: null,
    matches: (_, chunk) => {
      size += chunk.length;
      hash.update(chunk);
      if (size <= LARGEST_KEPT) pieces.push(Buffer.from(chunk));
      return true;
    },
  };
  const request = { ...factory.get({ target, size: 0, content: () => learning }), expectedContent: learning };
  const { errors } = await sendAll(settings, [request], 1);
  const [failure] = Object.keys(errors);
  if (failure !== undefined) throw new Error(`GET ${target}: ${failure}`);
  const digest = hash.digest();
  if (size > LARGEST_KEPT) return { target, size, content: digestSampler(digest) };
  const whole = Buffer.concat(pieces);
  return {
    target,
    size,
    content: (from, length) => ({
      lengthBytes: length,
      matches: (offset, chunk) =>
        whole.compare(chunk, 0, chunk.length, from + offset, from + offset + chunk.length) === 0,
    }),
  };
}

/** Checks every length, and the SHA-256 of every eighth whole body. */
function digestSampler(digest: Buffer): ReadableFile['content'] {
  return (from, lengthBytes) => {
    let count = 0;
    let hash = createHash('sha256');
    return {
      lengthBytes,
      matches: (offset, chunk) => {
        if (offset === 0) {
          count += 1;
          hash = createHash('sha256');
        }
        if (from === 0 && count % DIGEST_EVERY === 1) hash.update(chunk);
        return true;
      },
      isWholeRight: () => from !== 0 || count % DIGEST_EVERY !== 1 || hash.digest().equals(digest),
    };
  };
}
