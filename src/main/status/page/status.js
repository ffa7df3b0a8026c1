/** The status page: takes the stream of figures and shows them. Everything it writes is text, never markup. */

import { bytes, bytesPerSecond, clockTime, milliseconds, perSecond, seconds } from '/status/format.js';
import { createPlot } from '/status/plot.js';

const KEPT_SAMPLES = 300;
const element = (id) => document.getElementById(id);

const ending = (name, label, colour) => ({ label, colour, of: ({ endings }) => endings[name] });

const plots = [
  createPlot(element('traffic'), {
    format: bytesPerSecond,
    lines: [
      { label: 'in', colour: '--in', isFilled: true, of: (sample) => sample.receivedBytesPerSecond },
      { label: 'out', colour: '--out', isFilled: true, of: (sample) => sample.sentBytesPerSecond },
    ],
  }),
  createPlot(element('endings'), {
    format: perSecond,
    lines: [
      ending('2xx', '2xx', '--good'),
      ending('3xx', '3xx', '--calm'),
      ending('4xx', '4xx', '--warn'),
      ending('5xx', '5xx', '--bad'),
      ending('cut', 'no answer', '--muted'),
    ],
  }),
  createPlot(element('latency'), {
    format: milliseconds,
    isLogarithmic: true,
    lines: [
      { label: 'p50', colour: '--calm', of: ({ p50Ms }) => p50Ms },
      { label: 'p99', colour: '--warn', of: ({ p99Ms }) => p99Ms },
    ],
  }),
  createPlot(element('lag'), {
    format: milliseconds,
    lines: [{ label: 'p99', colour: '--out', isFilled: true, of: ({ lagMs }) => lagMs }],
  }),
];

let samples = [];

function write(id, text) {
  element(id).textContent = text;
}

function fill(id, rows) {
  element(id).replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement('tr');
      for (const [text, name = ''] of cells) {
        const cell = document.createElement('td');
        cell.textContent = text;
        cell.className = name;
        row.append(cell);
      }
      return row;
    }),
  );
}

function showState(state, isLive) {
  const badge = element('state');
  badge.textContent = state;
  badge.className = `badge ${state === 'ready' ? 'good' : isLive && state === 'starting' ? '' : 'bad'}`;
  document.body.classList.toggle('stale', !isLive);
}

function showStore({ isDegraded, freeBytes, totalBytes }) {
  write('store', isDegraded ? 'degraded' : 'healthy');
  write('takes', isDegraded ? 'refuses uploads' : 'takes uploads');
  element('store').classList.toggle('bad', isDegraded);
  write('free', bytes(freeBytes));
  write('total', totalBytes === null ? '' : `of ${bytes(totalBytes)}`);
  const used = totalBytes === null ? 0 : 1 - freeBytes / totalBytes;
  element('used').style.width = `${100 * used}%`;
  element('used').parentElement.className = `bar ${used > 0.97 ? 'bad' : used > 0.9 ? 'warn' : ''}`;
}

function showNow(now, { timeMs, queued }) {
  showState(now.state, true);
  document.title = `${now.state === 'ready' ? '' : `${now.state}: `}HMAC File Server`;
  write('about', `${now.version}, up for ${seconds((timeMs - now.startedMs) / 1_000)}`);
  write('requests', now.requests);
  write('connections', `on ${now.connections} connections`);
  write('uploads', now.uploads);
  write('workers', `${now.busyWorkers} of ${now.workers}`);
  write('queued', `busy, ${queued} waiting`);
  write('memory', bytes(now.residentBytes));
  showStore(now);
  fill(
    'longest',
    now.longestUploads.map(({ fileId, protocol, sizeBytes, sinceMs }) => [
      [fileId],
      [protocol],
      [bytes(sizeBytes)],
      [seconds(Math.max(0, timeMs - sinceMs) / 1_000)],
    ]),
  );
  fill(
    'errors',
    now.errors.map((error) => [[clockTime(error.timeMs)], [`${error.subject}: ${error.message}`, 'error']]),
  );
}

function show({ isWhole, now, samples: fresh }) {
  samples = isWhole ? fresh : [...samples, ...fresh].slice(-KEPT_SAMPLES);
  const last = samples.at(-1) ?? { timeMs: Date.now(), queued: 0 };
  showNow(now, last);
  for (const plot of plots) plot(samples);
}

const stream = new EventSource('/status/stream');
stream.addEventListener('message', ({ data }) => show(JSON.parse(data)));
stream.addEventListener('error', () => showState('no answer', false));
