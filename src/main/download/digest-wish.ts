/** Which digests a request asks for, and how they stand in its answer (RFC 9530 §4, RFC 3230). */

import {
  type DigestAlgorithm,
  digestField,
  type FieldDigest,
  legacyDigestField,
  wantedAlgorithm,
  wantsLegacyDigest,
} from '../http/digest-fields.ts';
import type { FieldLine, ResponseFields } from '../http/field-line.ts';
import { countLines } from '../http/fields.ts';
import type { DownloadPlan } from './download-plan.ts';
import type { Representation } from './representation.ts';

export interface DigestWish {
  /** Over the whole file, in every answer. */
  readonly representation: DigestAlgorithm | null;
  /** Over the bytes of this answer. */
  readonly content: DigestAlgorithm | null;
  /** `Digest`: nothing is read for it, because clients of that time ask for it in every request. */
  readonly isLegacy: boolean;
}

/** What was found of a wish, for the answer that was planned for one content. */
export interface FoundDigests {
  readonly etag: string;
  readonly status: number;
  /** Of the body that was planned. */
  readonly length: number;
  readonly representation: FieldDigest | null;
  readonly content: FieldDigest | null;
  readonly legacy: FieldDigest | null;
}

/** null: none is asked for, as in almost all requests. */
export function readDigestWish(fields: readonly FieldLine[]): DigestWish | null {
  const asks = ['want-repr-digest', 'want-content-digest', 'want-digest'];
  if (asks.every((name) => countLines(fields, name) === 0)) return null;
  const representation = wantedAlgorithm(fields, 'want-repr-digest');
  const content = wantedAlgorithm(fields, 'want-content-digest');
  const isLegacy = wantsLegacyDigest(fields);
  return representation === null && content === null && !isLegacy ? null : { representation, content, isLegacy };
}

/** The plan with the digests in its head, when it is about the same bytes of the same content. */
export function withDigests(plan: DownloadPlan, file: Representation, found: FoundDigests | null): DownloadPlan {
  if (found === null || plan.kind === 'problem' || file.validators.etag !== found.etag) return plan;
  const { head } = plan;
  if (head.status !== found.status || head.length !== found.length) return plan;
  const { representation, content, legacy } = found;
  const fields: ResponseFields = [
    ...head.fields,
    ...(representation === null ? [] : digestField('Repr-Digest', representation)),
    ...(content === null ? [] : digestField('Content-Digest', content)),
    ...(legacy === null ? [] : legacyDigestField(legacy)),
  ];
  return { ...plan, head: { ...head, fields } };
}
