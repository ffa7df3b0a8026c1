/** The two formats of a scrape, and who gets which. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseFormat, toOpenMetrics } from '../../src/main/events/exposition.ts';
import { MetricsProbe } from '../support/metrics-probe.ts';

const accepts: readonly (readonly [accept: readonly string[], format: 'text' | 'openmetrics'])[] = [
  [[], 'text'],
  [['*/*'], 'text'],
  [['text/plain'], 'text'],
  [['text/html', 'application/xml;q=0.9', '*/*;q=0.8'], 'text'],
  [['application/openmetrics-text'], 'openmetrics'],
  [['Application/OpenMetrics-Text; version=1.0.0'], 'openmetrics'],
  [['application/openmetrics-text;q=0'], 'text'],
  [['application/openmetrics-text;q=0.4', 'text/plain;q=0.5'], 'text'],
  [['application/openmetrics-text;q=x', 'text/plain;q=0.5'], 'text'],
  [['application/openmetrics-text;q=0.5', 'text/plain;q=0.5'], 'openmetrics'],
  [['text/plain;q=0.1', '*/*', 'application/openmetrics-text;q=0.2'], 'openmetrics'],
  // Prometheus 2.
  [
    [
      'application/openmetrics-text;version=1.0.0',
      'application/openmetrics-text;version=0.0.1;q=0.75',
      'text/plain;version=0.0.4;q=0.5',
      '*/*;q=0.1',
    ],
    'openmetrics',
  ],
  // Prometheus before 2.5.
  [['text/plain;version=0.0.4;q=1', '*/*;q=0.1'], 'text'],
];

test('OpenMetrics is for scrapers that name it and do not prefer plain text (RFC 9110 §12.5.1)', () => {
  for (const [accept, format] of accepts) assert.equal(chooseFormat(accept), format, accept.join(', '));
});

test('turns counters, and only counters, into OpenMetrics families without _total, and marks the end', () => {
  const text = [
    '# HELP a_total Things.\n# TYPE a_total counter\na_total{x="1"} 5',
    '# HELP b_total A gauge.\n# TYPE b_total gauge\nb_total 1\n',
  ].join('\n\n');
  assert.equal(
    toOpenMetrics(text),
    '# HELP a Things.\n# TYPE a counter\na_total{x="1"} 5\n# HELP b_total A gauge.\n# TYPE b_total gauge\nb_total 1\n# EOF\n',
  );
});

test('both formats have the same samples, also after each other', async () => {
  const probe = new MetricsProbe();
  const samples = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const names = (text: string): string[] => samples(text).map((line) => line.slice(0, line.lastIndexOf(' ')));
  const text = await probe.metrics.render('text');
  const open = await probe.metrics.render('openmetrics');
  assert.deepEqual(names(open), names(text));
  assert.deepEqual(names(await probe.metrics.render('text')), names(text));
  assert.match(text, /^# TYPE hmac_http_requests_total counter$/m);
  assert.match(open, /^# TYPE hmac_http_requests counter$/m);
  assert.ok(open.endsWith('\n# EOF\n'));
  assert.ok(!open.includes('\n\n'));
  probe.stop();
});
