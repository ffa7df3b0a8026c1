/** The status page of the real server in a real browser: on a desktop, on a phone, in light and in dark, under load. */

import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Browser, DESKTOP, PHONE } from '../support/browser.ts';
import { poorContrasts } from '../support/contrast.ts';
import { RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

let browser: Browser;
let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
  browser = await Browser.start();
});

after(async () => {
  await browser.stop();
  await server.stop();
});

const statusUrl = (): string => `${server.operatorOrigin}/status`;

/** Waits until the expression is true in the page. playwright's own way needs `eval`, which the page's policy forbids. */
async function until(page: Page, expression: string): Promise<void> {
  await page.evaluate(`new Promise((resolve, reject) => {
    const look = () => {
      if (${expression}) resolve();
      else if (performance.now() > deadline) reject(new Error(${JSON.stringify(`never: ${expression}`)}));
      else setTimeout(look, 20);
    };
    const deadline = performance.now() + 15_000;
    look();
  })`);
}

/** Text behind the label of a legend: `figureOf('traffic', 'in')`. */
function figureOf(plot: string, label: string): string {
  const items = `[...document.querySelectorAll('#${plot} .legend li')]`;
  return `${items}.find((item) => item.textContent.startsWith('${label} ')).querySelector('b').textContent`;
}

async function exchange(name: string): Promise<void> {
  const body = Buffer.alloc(100_000, 'x');
  const put = await fetch(server.origin + server.signedTarget(name, body.length), { method: 'PUT', body });
  assert.equal(put.status, 201);
  await (await fetch(`${server.origin}/files/${name}`)).arrayBuffer();
}

test('the plots move under load, and the browser has nothing to complain of', async () => {
  const { page, complaints, requests } = await browser.open(statusUrl(), DESKTOP);
  await until(page, "document.getElementById('state').textContent === 'ready'");
  await until(page, `${figureOf('endings', '2xx')} === '0/s'`);
  const picture = (): Promise<unknown> =>
    page.evaluate("[...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())");
  const before = (await picture()) as string[];
  let isSeen = false;
  const load = (async () => {
    for (let n = 0; !isSeen; n += 1) await exchange(`load-${n}.bin`);
  })();
  await until(page, `!/^0 /.test(${figureOf('traffic', 'in')}) && !/^0 /.test(${figureOf('traffic', 'out')})`);
  await until(page, `${figureOf('endings', '2xx')} !== '0/s' && ${figureOf('latency', 'p99')} !== '–'`);
  isSeen = true;
  await load;
  const later = (await picture()) as string[];
  assert.equal(before.length, 4);
  for (const [index, image] of later.entries()) assert.notEqual(image, before[index], `plot ${index}`);
  assert.deepEqual(complaints, []);
  for (const url of requests) assert.ok(url.startsWith(server.operatorOrigin) || url === 'data:,', url);
  await page.close();
});

test('a page that is opened later shows what was before', async () => {
  const { page } = await browser.open(statusUrl(), DESKTOP);
  await until(page, "document.getElementById('state').textContent === 'ready'");
  const stream = await fetch(`${server.operatorOrigin}/status/stream`);
  const first = await stream.body?.getReader().read();
  const text = Buffer.from(first?.value ?? []).toString();
  const { isWhole, samples } = JSON.parse(text.slice('data: '.length, text.indexOf('\n'))) as {
    readonly isWhole: boolean;
    readonly samples: readonly { readonly receivedBytesPerSecond: number }[];
  };
  assert.equal(isWhole, true);
  assert.ok(samples.some(({ receivedBytesPerSecond }) => receivedBytesPerSecond > 0));
  await page.close();
});

test('an upload that is being received stands in the list until it ends, with a name that opens nothing', async () => {
  const { page } = await browser.open(statusUrl(), DESKTOP);
  const connection = await RawConnection.open(server.port);
  const target = server.signedTarget('secret-name.bin', 1e9);
  await connection.send(`PUT ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nbegin`);
  await until(page, "document.querySelector('#longest td:nth-child(3)')?.textContent === '1 GB'");
  assert.doesNotMatch((await page.textContent('#longest')) ?? '', /secret-name/);
  connection.drop();
  await until(page, "document.querySelector('#longest td') === null");
  await page.close();
});

test('nothing is wider than the screen of a phone', async () => {
  const { page } = await browser.open(statusUrl(), PHONE);
  await until(page, "document.getElementById('state').textContent === 'ready'");
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
  const outside = await page.evaluate(`[...document.querySelectorAll('h1, h2, p, li, td, canvas')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 80))`);
  assert.deepEqual(outside, []);
  await page.close();
});

test('light and dark follow the reader, and texts have a contrast of at least 4.5 to 1 in both (WCAG 2.2, 1.4.3)', async () => {
  const backgrounds = new Set<unknown>();
  for (const scheme of ['light', 'dark'] as const) {
    const { page } = await browser.open(statusUrl(), { ...DESKTOP, scheme });
    await until(page, "document.getElementById('state').textContent === 'ready'");
    backgrounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    assert.deepEqual(await poorContrasts(page, 'h1, h2, p, li, th, td, b'), [], scheme);
    await page.close();
  }
  assert.equal(backgrounds.size, 2);
});

test('a store that vanishes is told in red, and stands among the errors; a server that stops is told, too', async () => {
  const { page } = await browser.open(statusUrl(), DESKTOP);
  await until(page, "document.getElementById('store').textContent === 'healthy'");
  renameSync(server.storeDir, join(server.folder, 'elsewhere'));
  await until(page, "document.getElementById('store').textContent === 'degraded'");
  await until(page, "document.getElementById('state').textContent === 'store degraded'");
  assert.equal(await page.getAttribute('#state', 'class'), 'badge bad');
  assert.match((await page.textContent('#errors')) ?? '', /store: refuses writes/);
  renameSync(join(server.folder, 'elsewhere'), server.storeDir);
  await until(page, "document.getElementById('state').textContent === 'ready'");
  server.kill('SIGTERM');
  await until(page, "document.getElementById('state').textContent === 'no answer'");
  assert.equal((await server.exited).status, 0);
  await page.close();
});
