/**
 * Problems as answers: one line of text for people behind XMPP clients, problem details (RFC 9457) for protocols whose
 * clients are programs. Both are complete answers with the common fields, and tell nothing but the catalogue's words.
 */

import { commonFields } from './common-fields.ts';
import type { Answer } from './exchange.ts';
import type { ResponseFields } from './field-line.ts';
import type { Problem } from './problem.ts';

/** The title and a line feed as text/plain: plain PUT, GET, HEAD and signed DELETE. */
export function plainTextAnswer(problem: Problem): Answer {
  return {
    status: problem.status,
    fields: fieldsOf(problem, 'text/plain; charset=utf-8'),
    body: `${problem.title}\n`,
  };
}

/** application/problem+json: tus and the IETF draft. `members` are extension members (RFC 9457 §3.2). */
export function problemJsonAnswer(problem: Problem, members: Readonly<Record<string, string | number>> = {}): Answer {
  const { type, title, status, detail } = problem;
  const body = { ...members, type, title, status, ...(detail === null ? {} : { detail }) };
  return { status, fields: fieldsOf(problem, 'application/problem+json'), body: JSON.stringify(body) };
}

function fieldsOf(problem: Problem, contentType: string): ResponseFields {
  return [
    ...commonFields,
    ['Content-Type', contentType],
    // 404, 405 and 410 may be cached without being asked (RFC 9110 §15.1): a slot's file must appear once it is there.
    ['Cache-Control', 'no-store'],
    ...problem.fields,
    ...(problem.closesConnection ? closing : []),
  ];
}

const closing: ResponseFields = [['Connection', 'close']];
