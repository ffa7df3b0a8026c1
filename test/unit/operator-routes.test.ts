/** The operator's port: three pages, and nothing that a cache or a browser could make more of. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, Exchange } from '../../src/main/http/exchange.ts';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import { createOperatorRoutes, type Readiness } from '../../src/main/operator-routes.ts';

/** Answers of one request; only what the routes use of an exchange. */
function request(
  routes: (exchange: Exchange) => void,
  method: string,
  path: string,
  fields: readonly FieldLine[] = [],
): Promise<Answer> {
  return new Promise((resolve) => {
    const exchange: Pick<Exchange, 'respond'> & { head: Pick<Exchange['head'], 'method' | 'path' | 'fields'> } = {
      head: { method, path, fields },
      respond: resolve,
    };
    routes(exchange as Exchange);
  });
}

const errors: unknown[] = [];

function routesWith(readiness: Readiness = 'ready', render = async (format: string) => `as ${format}`) {
  return createOperatorRoutes({
    metrics: { render },
    readiness: () => readiness,
    pages: new Map(),
    onError: (error) => void errors.push(error),
  });
}

function fieldOf(answer: Answer, name: string): string | undefined {
  return answer.fields.find(([field]) => field.toLowerCase() === name)?.[1];
}

test('/healthz is 200 whatever the state of the store', async () => {
  for (const readiness of ['ready', 'starting', 'stopping', 'store degraded'] as const) {
    const answer = await request(routesWith(readiness), 'GET', '/healthz');
    assert.deepEqual([answer.status, answer.body], [200, 'ok\n']);
  }
});

test('/readyz is 200 when ready, otherwise 503 with the reason', async () => {
  const ready = await request(routesWith('ready'), 'GET', '/readyz');
  assert.deepEqual([ready.status, ready.body], [200, 'ok\n']);
  for (const reason of ['starting', 'stopping', 'store degraded'] as const) {
    const answer = await request(routesWith(reason), 'GET', '/readyz');
    assert.deepEqual([answer.status, answer.body], [503, `${reason}\n`]);
  }
});

test('/metrics is in the format that Accept asks for, over all its lines', async () => {
  const text = await request(routesWith(), 'GET', '/metrics');
  assert.deepEqual([text.status, text.body], [200, 'as text']);
  assert.equal(fieldOf(text, 'content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const fields = [
    { name: 'accept', value: 'text/plain;q=0.5' },
    { name: 'accept', value: 'application/openmetrics-text;version=1.0.0, */*;q=0.1' },
  ];
  const open = await request(routesWith(), 'GET', '/metrics', fields);
  assert.equal(open.body, 'as openmetrics');
  assert.equal(fieldOf(open, 'content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
});

test('/metrics is 500 without details when rendering fails, and the error is told', async () => {
  const failure = new Error('secret detail');
  const routes = routesWith('ready', () => Promise.reject(failure));
  const answer = await request(routes, 'GET', '/metrics');
  assert.deepEqual([answer.status, answer.body], [500, 'Internal Server Error\n']);
  assert.deepEqual(errors, [failure]);
});

test('HEAD is answered like GET: the exchange leaves the body out (RFC 9110 §9.3.2)', async () => {
  for (const path of ['/metrics', '/healthz', '/readyz']) {
    assert.deepEqual(await request(routesWith(), 'HEAD', path), await request(routesWith(), 'GET', path));
  }
});

test('other methods are 405 with Allow (RFC 9110 §15.5.6)', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'get']) {
    const answer = await request(routesWith(), method, '/metrics');
    assert.equal(answer.status, 405, method);
    assert.equal(fieldOf(answer, 'allow'), 'GET, HEAD');
  }
});

test('everything else is 404, whatever the method', async () => {
  for (const path of [
    '/',
    '',
    '/metrics/',
    '/Metrics',
    '//metrics',
    '/healthz/x',
    '/files/a',
    '__proto__',
    '/%6detrics',
  ]) {
    for (const method of ['GET', 'PUT']) assert.equal((await request(routesWith(), method, path)).status, 404, path);
  }
});

test('no answer may be stored or sniffed', async () => {
  for (const path of ['/metrics', '/healthz', '/readyz', '/nothing']) {
    const answer = await request(routesWith('stopping'), 'GET', path);
    assert.equal(fieldOf(answer, 'cache-control'), 'no-store', path);
    assert.equal(fieldOf(answer, 'x-content-type-options'), 'nosniff', path);
    assert.match(fieldOf(answer, 'content-type') ?? '', /^text\/plain; /, path);
  }
});
