/** The number of series: a constant, whatever clients send. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedLabel, labelSetIndex, labelSets } from '../../src/main/events/closed-label.ts';
import type { Route, SignatureResult } from '../../src/shared/events.ts';
import type { SignatureScheme } from '../../src/shared/signature.ts';
import { MetricsProbe } from '../support/metrics-probe.ts';
import { eventTypes, sampleEvent } from '../support/sample-events.ts';

/** What the types forbid and a mistake could still bring. */
function foreign<T extends string>(text: string): T {
  return text as T;
}

test('A79 10,000 paths, methods, codes, remotes and routes create no series and appear in none', async () => {
  const probe = new MetricsProbe();
  const before = await probe.samples();
  for (let n = 0; n < 10_000; n += 1) {
    const request = {
      method: `METHOD${n}`,
      path: `/files/evil-${n}`,
      remote: `10.0.0.${n}`,
      route: foreign<Route>(`/evil-${n}`),
    };
    await probe.publish(
      sampleEvent('request.received', request),
      sampleEvent('request.completed', { ...request, status: 1000 + n }),
      sampleEvent('request.failed', { ...request, status: 1000 + n, code: `evil-${n}` }),
      sampleEvent('signature.checked', {
        scheme: foreign<SignatureScheme>(`evil-${n}`),
        result: foreign<SignatureResult>(`evil-${n}`),
      }),
    );
  }
  const after = await probe.samples();
  assert.deepEqual([...after.keys()], [...before.keys()]);
  assert.equal(after.get('hmac_http_requests_total{method="other",path="other"}'), 10_000);
  assert.equal(after.get('hmac_http_responses_total{method="other",code="other"}'), 20_000);
  assert.ok(![...after.keys()].some((key) => key.includes('evil')));
  probe.stop();
});

test('A77 names of object properties are foreign values like any other', async () => {
  const probe = new MetricsProbe();
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
  await probe.publish(...names.map((method) => sampleEvent('request.received', { method, route: '/{file}' })));
  const samples = await probe.samples();
  assert.equal(samples.get('hmac_http_requests_total{method="other",path="/{file}"}'), names.length);
  probe.stop();
});

test('methods are told apart by case (RFC 9110 §9.1)', async () => {
  const probe = new MetricsProbe();
  await probe.publish(sampleEvent('request.received', { method: 'get', route: '/{file}' }));
  const samples = await probe.samples();
  assert.equal(samples.get('hmac_http_requests_total{method="GET",path="/{file}"}'), 0);
  assert.equal(samples.get('hmac_http_requests_total{method="other",path="/{file}"}'), 1);
  probe.stop();
});

test('scraping creates no series, and neither does an event of any type', async () => {
  const probe = new MetricsProbe();
  const first = [...(await probe.samples()).keys()];
  await probe.samples();
  await probe.publish(...eventTypes.map((type) => sampleEvent(type)));
  assert.deepEqual([...(await probe.samples()).keys()], first);
  probe.stop();
});

test('a scrape stays below 200 KiB', async () => {
  const probe = new MetricsProbe();
  assert.ok(Buffer.byteLength(await probe.metrics.render('text')) < 200 * 1024);
  assert.ok(Buffer.byteLength(await probe.metrics.render('openmetrics')) < 200 * 1024);
  probe.stop();
});

test('a label set has its place in the list of all label sets, a foreign value has that of "other" or none', () => {
  const method = new ClosedLabel('method', ['GET', 'PUT', 'other']);
  const kept = new ClosedLabel('kept', ['yes', 'no']);
  const labels = [method, kept];
  const sets = labelSets(labels);
  for (const [index, set] of sets.entries()) {
    assert.equal(labelSetIndex(labels, [set['method'] ?? '', set['kept'] ?? '']), index);
  }
  assert.equal(labelSetIndex(labels, ['BREW', 'yes']), labelSetIndex(labels, ['other', 'yes']));
  assert.equal(labelSetIndex(labels, ['GET', 'perhaps']), -1);
  assert.equal(labelSetIndex([], []), 0);
});
