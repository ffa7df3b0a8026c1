/** The HTML report of the load generator in a real browser: on a desktop, on a phone, in light and in dark. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { formatHtml } from '../../bench/report/html-report.ts';
import { bench } from '../support/bench-command.ts';
import { sampleReport, sampleRun } from '../support/bench-sample.ts';
import { Browser, DESKTOP, PHONE } from '../support/browser.ts';
import { poorContrasts } from '../support/contrast.ts';

let browser: Browser;
let directory = '';

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bench-report-'));
  browser = await Browser.start();
});

after(async () => {
  await browser.stop();
  rmSync(directory, { recursive: true });
});

/** Two targets, a marked row, an error, a comparison, and names that are long or look like markup. */
function samplePage(): string {
  const runs = [
    sampleRun({ limit: 'generator' }),
    sampleRun({ target: 'nginx', bytesPerSecond: 9e8, errors: { 'status 503': 3 } }),
    sampleRun({ target: 'https://files.example.org/a/very/long/prefix/{path}?v=…', bytesPerSecond: 4e8 }),
  ];
  const comparison = {
    scenario: 'PUT of 64 KiB',
    folder: 'tmpfs (/dev/shm)',
    load: 'PUT 64 KiB, 32 conns',
    metric: 'throughput',
    first: { target: 'server', values: [3, 2, 2.5, 2.2, 2.4], median: 2.4 },
    second: { target: 'nginx', values: [2, 2.1, 1.9, 2, 2], median: 2 },
    ratio: 1.2,
    lowest: 0.95,
    highest: 1.5,
    isEnough: true,
  };
  const file = join(directory, 'sample.html');
  writeFileSync(file, formatHtml(sampleReport(runs, [comparison])));
  return pathToFileURL(file).href;
}

test('a report of real runs shows every plot, and the page loads nothing and reports no mistake', async () => {
  const file = join(directory, 'real.html');
  const line = `get size=16KiB connections=4 --duration 800ms --repeat 2 --target sink --html ${file}`;
  assert.equal((await bench(line, directory)).status, 0);
  const { page, complaints, requests } = await browser.open(pathToFileURL(file).href, DESKTOP);
  const plots = await page.evaluate(`[...document.querySelectorAll('figure')].map((figure) => ({
    title: figure.querySelector('figcaption').textContent,
    lines: [...figure.querySelectorAll('polyline')].filter((line) => line.getBBox().width > 50).length,
  }))`);
  assert.deepEqual(plots, [
    { title: 'Latency by percentile', lines: 1 },
    { title: 'Throughput', lines: 1 },
    { title: 'p99 of each quarter second', lines: 1 },
    { title: 'Resident memory of the server', lines: 1 },
  ]);
  assert.deepEqual(complaints, []);
  assert.equal(requests.length, 1);
});

test('nothing is wider than the screen of a phone, and texts of plots stay readable', async () => {
  const { page } = await browser.open(samplePage(), PHONE);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
  const outside = await page.evaluate(`[...document.querySelectorAll('h1, h2, h3, p, code, .bar, .name, svg')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 || element.scrollWidth > innerWidth)
    .map((element) => element.outerHTML.slice(0, 80))`);
  assert.deepEqual(outside, []);
  const smallest = await page.evaluate(`Math.min(...[...document.querySelectorAll('svg text')]
    .map((text) => text.getBoundingClientRect().height))`);
  assert.ok(Number(smallest) >= 9, String(smallest));
});

test('texts of plots never cover each other', async () => {
  for (const viewer of [DESKTOP, PHONE]) {
    const { page } = await browser.open(samplePage(), viewer);
    const covered = await page.evaluate(`[...document.querySelectorAll('svg')].flatMap((plot) => {
      const boxes = [...plot.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
      return boxes.flatMap(([name, a], index) => boxes.slice(index + 1)
        .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
        .map(([other]) => name + ' / ' + other));
    })`);
    assert.deepEqual(covered, []);
  }
});

test('light and dark follow the reader, and texts have a contrast of at least 4.5 to 1 in both (WCAG 2.2, 1.4.3)', async () => {
  const backgrounds = new Set<unknown>();
  for (const scheme of ['light', 'dark'] as const) {
    const { page } = await browser.open(samplePage(), { ...DESKTOP, scheme });
    backgrounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    const poor = await poorContrasts(
      page,
      'h1, h2, h3, p, li, th, td, code, .badge, .bar, .name, figcaption, svg text',
    );
    assert.deepEqual(poor, [], scheme);
  }
  assert.equal(backgrounds.size, 2);
});

test('a figure for which the generator was the limit is marked in its bar and in its row', async () => {
  const { page } = await browser.open(samplePage(), DESKTOP);
  const marked = await page.evaluate(`({
    rows: [...document.querySelectorAll('tbody tr')].map((row) => row.querySelector('.badge.generator') !== null),
    bars: [...document.querySelectorAll('.bar')].map((bar) => bar.classList.contains('doubt')),
  })`);
  assert.deepEqual(marked, { rows: [true, false, false], bars: [true, false, false] });
});
