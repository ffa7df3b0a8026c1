/**
 * The operator's port: metrics and health for scrapers and orchestrators, and the status page for people. It shares nothing with the public port, where
 * these names are ordinary file paths. `/healthz` answers while the process works, whatever the store does.
 */

import { chooseFormat, EXPOSITION_TYPES, type ExpositionFormat } from './events/exposition.ts';
import type { Exchange } from './http/exchange.ts';
import type { ResponseFields } from './http/field-line.ts';
import { listMembers } from './http/fields.ts';

/** Whether requests are welcome, or why not. */
export type Readiness = 'ready' | 'starting' | 'stopping' | 'store degraded';

export interface OperatorRoutesOptions {
  readonly metrics: { render(format: ExpositionFormat): Promise<string> };
  readonly readiness: () => Readiness;
  /** What else answers GET and HEAD, by path. */
  readonly pages: ReadonlyMap<string, Page>;
  /** Told when the metrics could not be rendered: a bug. */
  readonly onError: (error: unknown) => void;
}

export type Page = (exchange: Exchange) => void;

const TEXT_TYPE = 'text/plain; charset=utf-8';
const COMMON_FIELDS: ResponseFields = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
];

/** Returns what answers every request on the operator's port. */
export function createOperatorRoutes(options: OperatorRoutesOptions): (exchange: Exchange) => void {
  const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ['/metrics', (exchange) => void answerMetrics(exchange, options)],
    ['/healthz', (exchange) => answerText(exchange, 200, 'ok')],
    ['/readyz', (exchange) => answerReadiness(exchange, options.readiness())],
    ...options.pages,
  ]);
  return (exchange) => {
    const { method, path } = exchange.head;
    const page = pages.get(path);
    if (page === undefined) answerText(exchange, 404, 'Not Found');
    else if (method === 'GET' || method === 'HEAD') page(exchange);
    else answerText(exchange, 405, 'Method Not Allowed', [['Allow', 'GET, HEAD']]);
  };
}

async function answerMetrics(exchange: Exchange, { metrics, onError }: OperatorRoutesOptions): Promise<void> {
  const format = chooseFormat(listMembers(exchange.head.fields, 'accept'));
  try {
    const body = await metrics.render(format);
    const fields: ResponseFields = [['Content-Type', EXPOSITION_TYPES[format]], ['Vary', 'Accept'], ...COMMON_FIELDS];
    exchange.respond({ status: 200, fields, body });
  } catch (error) {
    answerText(exchange, 500, 'Internal Server Error');
    onError(error);
  }
}

function answerReadiness(exchange: Exchange, readiness: Readiness): void {
  if (readiness === 'ready') answerText(exchange, 200, 'ok');
  else answerText(exchange, 503, readiness);
}

function answerText(exchange: Exchange, status: number, text: string, fields: ResponseFields = []): void {
  exchange.respond({ status, fields: [['Content-Type', TEXT_TYPE], ...COMMON_FIELDS, ...fields], body: `${text}\n` });
}
