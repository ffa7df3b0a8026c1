/**
 * The status page on the operator's port: its files, and the stream of figures behind it (Server-Sent Events, WHATWG
 * HTML §9.2). Read-only, and nothing in it comes from elsewhere.
 */

import type { Exchange } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import type { PageFile } from './page-files.ts';
import type { StatusBoard, StatusUpdate } from './status-board.ts';

export interface StatusPagesDependencies {
  readonly files: ReadonlyMap<string, PageFile>;
  readonly board: Pick<StatusBoard, 'whole' | 'watch'>;
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const COMMON_FIELDS: ResponseFields = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
  ['Content-Security-Policy', POLICY],
  ['Referrer-Policy', 'no-referrer'],
];

/** What answers GET and HEAD, by path. */
export function createStatusPages({
  files,
  board,
}: StatusPagesDependencies): ReadonlyMap<string, (exchange: Exchange) => void> {
  const pages = new Map<string, (exchange: Exchange) => void>();
  for (const [path, { type, body }] of files) {
    const fields: ResponseFields = [['Content-Type', type], ...COMMON_FIELDS];
    pages.set(path, (exchange) => exchange.respond({ status: 200, fields, body }));
  }
  pages.set('/status/stream', (exchange) => stream(exchange, board));
  return pages;
}

function stream(exchange: Exchange, board: StatusPagesDependencies['board']): void {
  const fields: ResponseFields = [['Content-Type', 'text/event-stream'], ...COMMON_FIELDS];
  if (exchange.head.method === 'HEAD') {
    exchange.respond({ status: 200, fields, body: '' });
    return;
  }
  exchange.beginFeed(200, fields);
  exchange.push(toMessage(board.whole));
  // A viewer that is behind misses samples: a gap in its plots, and no memory here.
  const end = board.watch((update) => exchange.push(toMessage(update)));
  exchange.onGone(end);
}

function toMessage(update: StatusUpdate): string {
  return `data: ${JSON.stringify(update)}\n\n`;
}
