/**
 * The fields of every answer: readable from every origin, never sniffed, never a document that runs or frames anything.
 * They stand on errors too, because whatever a browser is shown from this server's origin must be inert.
 */

import { corsFields } from './cors.ts';
import type { ResponseFields } from './field-line.ts';

export const commonFields: ResponseFields = Object.freeze([
  ...corsFields,
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox"],
] as const);
