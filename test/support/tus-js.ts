/** Uploads by the real tus-js-client, with an end that can be awaited. */

import { type PreviousUpload, Upload, type UploadOptions } from 'tus-js-client';

/** Short enough for tests; the client's own begin at 0, 1, 3 and 5 seconds. */
export const RETRY_DELAYS = [0, 100, 300, 500, 1_000];

export interface TusFlow {
  readonly upload: Upload;
  /** Rejects with the client's error. */
  readonly done: Promise<void>;
}

/** Prepares an upload; `start` it, or resume first. */
export function prepareUpload(
  input: ConstructorParameters<typeof Upload>[0],
  options: Omit<UploadOptions, 'onSuccess' | 'onError'>,
): TusFlow {
  let end: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  const done = new Promise<void>((resolve, reject) => {
    end = { resolve, reject };
  });
  const upload = new Upload(input, {
    retryDelays: RETRY_DELAYS,
    ...options,
    onSuccess: () => end?.resolve(),
    onError: (error) => end?.reject(error),
  });
  return { upload, done };
}

/** Uploads everything. Resolves to the upload, rejects with the client's error. */
export async function uploadByTus(
  input: ConstructorParameters<typeof Upload>[0],
  options: Omit<UploadOptions, 'onSuccess' | 'onError'>,
): Promise<Upload> {
  const { upload, done } = prepareUpload(input, options);
  upload.start();
  await done;
  return upload;
}

/** URLs of earlier uploads in memory, as browsers keep them in localStorage. */
export class MemoryUrlStorage {
  private readonly uploads = new Map<string, PreviousUpload>();

  async findAllUploads(): Promise<PreviousUpload[]> {
    return [...this.uploads.values()];
  }

  async findUploadsByFingerprint(fingerprint: string): Promise<PreviousUpload[]> {
    return [...this.uploads].filter(([key]) => key.startsWith(fingerprint)).map(([, upload]) => upload);
  }

  async removeUpload(urlStorageKey: string): Promise<void> {
    this.uploads.delete(urlStorageKey);
  }

  async addUpload(fingerprint: string, upload: PreviousUpload): Promise<string> {
    const urlStorageKey = `${fingerprint}-${this.uploads.size}`;
    this.uploads.set(urlStorageKey, { ...upload, urlStorageKey });
    return urlStorageKey;
  }
}
