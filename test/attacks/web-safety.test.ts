/**
 * A real Chromium with uploaded files: what could run never does, however it is brought in; images, videos and sounds are
 * shown in place; and pages of other origins can upload and read answers, errors included.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { Browser, DESKTOP } from '../support/browser.ts';
import { exchange, requestBytes } from '../support/raw-http.ts';
import { type LogLine, ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { encodePath, signV2 } from '../support/sign.ts';
import { eventually } from '../support/store-state.ts';
import { activeFiles, pageWith, styleSheet } from './support/active-files.ts';
import { ForeignSite } from './support/foreign-site.ts';
import { bitmap, silence } from './support/sample-media.ts';

let server: ServerProcess;
let site: ForeignSite;
let browser: Browser;
let files = 0;

before(async () => {
  server = await ServerProcess.start();
  site = await ForeignSite.start();
  browser = await Browser.start();
});

after(async () => {
  await browser?.stop();
  await site?.stop();
  await server.stop();
});

/** Stores a file under a type that the issuer signed, and answers its URL. */
async function upload(name: string, type: string, body: Uint8Array | string): Promise<string> {
  files += 1;
  const key = `${files}/${name}`;
  const bytes = Buffer.from(body);
  const mac = signV2(TEST_SECRET, key, bytes.length, type);
  const target = `/files/${encodePath(key)}?v2=${mac}`;
  const fields = type === '' ? {} : { 'Content-Type': type };
  const { status } = await exchange(server.port, requestBytes('PUT', target, fields, bytes));
  assert.equal(status, 201, key);
  return `${server.origin}/files/${encodePath(key)}`;
}

/** What a script does when it runs: it calls the foreign site. */
function script(mark: string): string {
  return `fetch('${site.origin}/ran-${mark}', { mode: 'no-cors' }); new Image().src = '${site.origin}/ran-${mark}'`;
}

async function visit(url: string): Promise<void> {
  // Going to a download is no navigation.
  const opened = await browser.open(url, DESKTOP).catch((error: unknown) => {
    assert.match(String(error), /Download is starting|ERR_ABORTED|ERR_INVALID_RESPONSE/);
    return null;
  });
  await opened?.page.evaluate('window.settled');
  await opened?.page.context().close();
}

/** Opens the URL by itself, and a page of a stranger that brings it in. */
async function visitInEveryWay(url: string, mark: string): Promise<void> {
  await visit(url);
  await visit(site.page(`/embeds-${mark}`, pageWith(url)));
}

function hasRun(mark: string): boolean {
  return site.requests.includes(`/ran-${mark}`);
}

for (const [index, { name, type, runs, render }] of activeFiles.entries()) {
  describe(`a file that could run: ${name} as ${type === '' ? 'nothing' : type}`, () => {
    if (runs) {
      it('A49 A50 is noticed when it does: a careless site that serves the same', async () => {
        const mark = `careless-${index}`;
        const style = site.page(`/style-${index}`, styleSheet(script(mark)), 'text/xsl');
        await visitInEveryWay(site.page(`/file-${index}`, render(script(mark), style), type), mark);
        await eventually(() => hasRun(mark), 'it has run');
      });
    }

    it('A49 A50 never runs: opened, in a frame, as image, object, embed, video, style and script', async () => {
      const mark = `file-${index}`;
      const style = await upload('style.xsl', 'text/xsl', styleSheet(script(mark)));
      await visitInEveryWay(await upload(name, type, render(script(mark), style)), mark);
      assert.equal(hasRun(mark), false);
    });
  });
}

async function openPage(target: string, html: string): Promise<Page> {
  const { page } = await browser.open(site.page(target, html), DESKTOP);
  return page;
}

describe('a file that is to be seen', () => {
  it('A49 an image is shown, on a page of another origin and by itself', async () => {
    const url = await upload('photo.bmp', 'image/bmp', bitmap(48));
    const page = await openPage('/image', `<img src="${url}">`);
    assert.equal(await page.evaluate('document.images[0].decode().then(() => document.images[0].naturalWidth)'), 48);
    await page.goto(url);
    assert.equal(await page.evaluate('document.images[0].naturalWidth'), 48);
    await page.context().close();
  });

  it('A49 a sound can be played from the middle, fetched in parts', async () => {
    const url = await upload('long.wav', 'audio/wav', silence(600));
    const page = await openPage('/sound', `<audio src="${url}" preload="metadata"></audio>`);
    const seek = `new Promise((resolve, reject) => {
      const sound = document.querySelector('audio');
      sound.onerror = () => reject(new Error(sound.error.message));
      sound.onseeked = () => resolve([Math.round(sound.duration), sound.currentTime]);
      const seek = () => { sound.currentTime = 500; };
      if (sound.readyState >= 1) seek(); else sound.onloadedmetadata = seek;
    })`;
    assert.deepEqual(await page.evaluate(seek), [600, 500]);
    await page.context().close();
    const isPart = (line: LogLine): boolean => line['status'] === 206 && String(line['path']).endsWith('/long.wav');
    // The browser gives up the first part when it is sent elsewhere.
    await Promise.any(['request.completed', 'request.failed'].map((event) => server.event(event, 10_000, isPart)));
  });

  it('A49 a video is shown on a page of another origin, and can be played from the middle', async () => {
    const recorder = await openPage('/recorder', '<canvas width="64" height="48"></canvas>');
    const encoded = String(await recorder.evaluate(recording));
    await recorder.context().close();
    const url = await upload('clip.webm', 'video/webm', Buffer.from(encoded, 'base64'));
    const page = await openPage('/video', `<video src="${url}" muted></video>`);
    const seek = `new Promise((resolve, reject) => {
      const video = document.querySelector('video');
      video.onerror = () => reject(new Error(video.error.message));
      video.onseeked = () => resolve([video.videoWidth, video.videoHeight, video.currentTime]);
      const seek = () => { video.currentTime = 0.5; };
      if (video.readyState >= 2) seek(); else video.onloadeddata = seek;
    })`;
    assert.deepEqual(await page.evaluate(seek), [64, 48, 0.5]);
    await page.context().close();
  });
});

/** Records a second of a changing canvas; the value is the WebM file as Base64. */
const recording = `new Promise((resolve) => {
  const canvas = document.querySelector('canvas');
  const context = canvas.getContext('2d');
  let frame = 0;
  const drawing = setInterval(() => { context.fillStyle = 'hsl(' + (frame += 20) + ' 90% 50%)'; context.fillRect(0, 0, 64, 48); }, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8' });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = async () => {
    clearInterval(drawing);
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(',')[1]);
    reader.readAsDataURL(new Blob(parts));
  };
  recorder.start();
  setTimeout(() => recorder.stop(), 1500);
})`;

describe('a page of another origin', () => {
  it('A53 uploads by fetch with a preflight, and reads the answer and the file', async () => {
    const body = 'uploaded by a page';
    const key = 'from page/é.txt';
    const mac = signV2(TEST_SECRET, key, body.length, 'text/x-of-page');
    const url = `${server.origin}/files/${encodePath(key)}`;
    const page = await openPage('/uploader', 'uploader');
    const steps = `(async () => {
      const headers = { 'Content-Type': 'text/x-of-page' };
      const put = await fetch('${url}?v2=${mac}', { method: 'PUT', headers, body: new Blob(['${body}']) });
      const got = await fetch('${url}');
      const part = await fetch('${url}', { headers: { Range: 'bytes=9-' } });
      return [put.status, put.type, got.status, await got.text(), part.status, await part.text()];
    })()`;
    assert.deepEqual(await page.evaluate(steps), [201, 'cors', 200, body, 206, 'by a page']);
    await page.context().close();
    assert.equal((await fetch(url)).headers.get('access-control-allow-credentials'), null);
  });

  it('A53 reads why it was refused, also with a token', async () => {
    const page = await openPage('/refused', 'refused');
    const steps = `(async () => {
      const answers = [];
      const attempt = async (target, init) => {
        const answer = await fetch('${server.origin}' + target, init);
        answers.push([answer.status, (await answer.text()).trim()]);
      };
      const body = new Blob(['x']);
      await attempt('/files/x?v=${'0'.repeat(64)}', { method: 'PUT', body });
      await attempt('/files/x', { method: 'PUT', body, headers: { Authorization: 'Bearer a.b.c' } });
      await attempt('/files/missing', {});
      await attempt('/elsewhere', {});
      await attempt('/files/x/..%2f', {});
      return answers;
    })()`;
    assert.deepEqual(await page.evaluate(steps), [
      [403, 'Invalid MAC'],
      [403, 'Invalid token'],
      [404, 'Not Found'],
      [404, 'Not Found'],
      [400, 'Bad Request'],
    ]);
    await page.context().close();
  });
});
