/**
 * Upload-Limit (IETF draft, Limits): what an upload may be. An upload that runs is told only what cannot become stricter
 * by a new configuration: how long it is kept.
 */

import type { UploadState } from '../../shared/resumable.ts';
import type { ResponseFields } from '../http/field-line.ts';
import type { DraftVersion } from './draft-version.ts';

/** Limits of the server, before there is an upload. `maxBytes` null: none, which has to be said somehow. */
export function serverLimit(maxBytes: number | null): ResponseFields {
  return limitField(maxBytes === null ? ['min-size=0'] : [`max-size=${maxBytes}`]);
}

/** Limits of one upload. */
export function uploadLimit(state: UploadState, nowSeconds: number, { ageKey }: DraftVersion): ResponseFields {
  if (ageKey === null || state.isComplete) return limitField(['min-size=0']);
  const leftSeconds = Math.max(0, Math.floor(state.expiresAtMs / 1000) - nowSeconds);
  return limitField(['min-size=0', `${ageKey}=${leftSeconds}`]);
}

function limitField(members: readonly string[]): ResponseFields {
  return [['Upload-Limit', members.join(', ')]];
}
