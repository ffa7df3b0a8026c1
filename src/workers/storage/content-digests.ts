/** Digests of a content that is seen piece by piece, and their comparison with what was announced. */

import { createHash, type Hash } from 'node:crypto';
import type { ExpectedDigest } from '../../shared/resumable.ts';

export type DigestAlgorithm = ExpectedDigest['algorithm'];

export class ContentDigests {
  private readonly hashes: ReadonlyMap<DigestAlgorithm, Hash>;

  constructor(algorithms: Iterable<DigestAlgorithm>) {
    this.hashes = new Map([...new Set(algorithms)].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.hashes.values()) hash.update(bytes);
  }

  /** Of everything so far. */
  results(): ReadonlyMap<DigestAlgorithm, Buffer> {
    return new Map([...this.hashes].map(([algorithm, hash]) => [algorithm, hash.copy().digest()]));
  }
}

/** False when one of them differs, or was not computed. */
export function areAsExpected(
  results: ReadonlyMap<DigestAlgorithm, Buffer>,
  expected: readonly ExpectedDigest[],
): boolean {
  return expected.every(
    ({ algorithm, value }) => results.get(algorithm)?.equals(Buffer.from(value, 'base64')) === true,
  );
}
