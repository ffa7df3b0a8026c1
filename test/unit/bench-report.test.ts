/** The reports of the load generator: what must be seen in them, and what must never be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHtml } from '../../bench/report/html-report.ts';
import { linearScale, logScale, quantileScale } from '../../bench/report/scale.ts';
import { formatReport } from '../../bench/report/text-table.ts';
import { sampleReport, sampleRun } from '../support/bench-sample.ts';

const COMPARISON = {
  scenario: 'PUT of 64 KiB',
  folder: 'tmpfs (/dev/shm)',
  load: 'PUT 64 KiB, 32 conns',
  metric: 'throughput',
  first: { target: 'server', values: [2, 3], median: 2.5 },
  second: { target: 'nginx', values: [2, 2], median: 2 },
  ratio: 1.25,
  lowest: 1,
  highest: 1.5,
  isEnough: false,
};

test('the table has every figure of a load with its unit', () => {
  const text = formatReport(sampleReport([sampleRun()]));
  for (const part of ['1.40 GB/s', '21.4 k/s', '1.00 ms', '4.00 ms', '1.07', '120 MB', '45 %', 'tmpfs (/dev/shm)']) {
    assert.ok(text.includes(part), part);
  }
});

test('repeated runs show their median, the worst maximum, and the sum of their errors by kind', () => {
  const text = formatReport(
    sampleReport([
      sampleRun({ bytesPerSecond: 1e9, errors: { 'status 503': 2 } }),
      sampleRun({ bytesPerSecond: 3e9, p99Ms: 50, errors: { 'status 503': 1 } }),
      sampleRun({ bytesPerSecond: 2e9 }),
    ]),
  );
  assert.match(text, /2\.00 GB\/s/);
  assert.match(text, /150 ms +3 /);
  assert.match(text, /3 × status 503: server, PUT 64 KiB, 32 conns/);
});

test('one run in which the generator was the limit marks its row, in the table and in the page', () => {
  const report = sampleReport([sampleRun(), sampleRun({ limit: 'generator' })]);
  assert.match(formatReport(report), /GENERATOR: the load generator was the limit/);
  assert.match(formatHtml(report), /class="bar c0 doubt"/);
  assert.ok(!formatReport(sampleReport([sampleRun()])).includes('GENERATOR'));
});

test('a comparison shows its ratio, its spread and whether it is enough', () => {
  const report = sampleReport([sampleRun(), sampleRun({ target: 'nginx' })], [COMPARISON]);
  assert.match(formatReport(report), /1\.250 +1\.00 … 1\.50 +2 +NO/);
  assert.match(formatHtml(report), /too low.*1\.25.*1\.00 to 1\.50/s);
});

test('the page is complete in itself: no script, no address, nothing to load', () => {
  const page = formatHtml(sampleReport([sampleRun(), sampleRun({ target: 'nginx' })], [COMPARISON]));
  assert.ok(!/<script|<link|<img|<iframe|@import|url\(|https?:\/\/| on[a-z]+=|src=|href=/i.test(page));
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
});

test('names from outside are text in the page, not markup', () => {
  const page = formatHtml(sampleReport([sampleRun({ target: '<b onclick="x">&\'', scenario: '</title><script>' })]));
  assert.ok(!page.includes('<b onclick') && !page.includes('</title><script>'));
  assert.ok(page.includes('&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;'));
});

test('a report without any answer can still be drawn', () => {
  const run = sampleRun({ errors: { 'connect ECONNREFUSED': 40 } });
  const empty = { ...run, server: null, cpuSecondsPerGb: null };
  const loads = run.loads.map((load) => ({
    ...load,
    bytesPerSecond: 0,
    requestsPerSecond: 0,
    distribution: [],
    moments: [],
  }));
  for (const draw of [formatReport, formatHtml]) {
    const text = draw(sampleReport([{ ...empty, loads }]));
    assert.match(text, /connect ECONNREFUSED/);
    assert.ok(!/NaN|Infinity|undefined/.test(text));
  }
});

test('axes have round ticks that enclose the values', () => {
  assert.deepEqual(linearScale(9.3).ticks, [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(linearScale(0).ticks.at(-1), 1);
  assert.deepEqual(logScale(0.4, 60).ticks, [0.1, 1, 10, 100]);
  assert.equal(logScale(1, 100).place(10), 0.5);
  assert.deepEqual(quantileScale(0.999).ticks, [0.5, 0.9, 0.99, 0.999]);
  assert.ok(Math.abs(quantileScale(0.9999).place(0.99) - 0.5) < 1e-9);
});
