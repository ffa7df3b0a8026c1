/** What each event looks like in the log, and what never gets there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLevel } from '../../src/main/config/config.ts';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { type LogFields, renderJson } from '../../src/main/events/log-line.ts';
import { subscribeLog } from '../../src/main/events/log-subscriber.ts';
import type { ServerEventBody } from '../../src/shared/events.ts';
import { eventTypes, sampleEvent } from '../support/sample-events.ts';

const levels: readonly LogLevel[] = ['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace'];

interface Line {
  readonly level: LogLevel;
  readonly msg: string;
  readonly fields: LogFields;
}

/** A log in memory. */
class LineCollector {
  readonly lines: Line[] = [];
  private level: LogLevel;
  private listener: () => void = () => {};

  constructor(level: LogLevel) {
    this.level = level;
  }

  isEnabled(level: LogLevel): boolean {
    return levels.indexOf(level) <= levels.indexOf(this.level);
  }

  log(level: LogLevel, msg: string, fields: LogFields = {}): void {
    this.lines.push({ level, msg, fields });
  }

  onLevelChange(listener: () => void): () => void {
    this.listener = listener;
    return () => {
      this.listener = () => {};
    };
  }

  setLevel(level: LogLevel): void {
    this.level = level;
    this.listener();
  }
}

async function linesOf(bodies: readonly ServerEventBody[], level: LogLevel = 'trace'): Promise<readonly Line[]> {
  const events = new EventDispatcher({ wallClockMs: () => 0, onHandlerError: (error) => assert.fail(String(error)) });
  const logger = new LineCollector(level);
  subscribeLog({ events, logger });
  for (const body of bodies) events.publish(body);
  await events.drain();
  return logger.lines;
}

async function lineOf(body: ServerEventBody): Promise<Line> {
  const [line] = await linesOf([body]);
  assert.ok(line !== undefined);
  return line;
}

test('writes one line for every type of event, which names the event', async () => {
  for (const type of eventTypes) {
    const lines = await linesOf([sampleEvent(type)]);
    assert.deepEqual(
      lines.map(({ fields }) => fields['event']),
      [type],
    );
  }
});

test('writes request.completed at info with method, route, path, status, bytes, duration and remote', async () => {
  assert.deepEqual(await lineOf(sampleEvent('request.completed')), {
    level: 'info',
    msg: 'Request completed',
    fields: {
      event: 'request.completed',
      request_id: 'r-1',
      method: 'PUT',
      route: '/{file}',
      path: '/files/2026/picture.png',
      remote: '2001:db8::1',
      status: 201,
      bytes_in: 1000,
      bytes_out: 0,
      duration_ms: 12.346,
    },
  });
});

const expectedLevels: readonly (readonly [body: ServerEventBody, level: LogLevel])[] = [
  [sampleEvent('request.completed', { status: 404 }), 'info'],
  [sampleEvent('request.failed', { status: 503 }), 'error'],
  [sampleEvent('request.failed', { status: 500, code: 'io' }), 'error'],
  [sampleEvent('request.failed', { status: 503, code: 'shutdown' }), 'error'],
  [sampleEvent('request.failed', { status: 200, code: 'io' }), 'error'],
  [sampleEvent('request.failed', { status: null, code: 'client' }), 'info'],
  [sampleEvent('request.failed', { status: 200, code: 'timeout' }), 'info'],
  [sampleEvent('request.failed', { status: null, code: 'shutdown' }), 'info'],
  [sampleEvent('signature.refused'), 'warning'],
  [sampleEvent('upload.refused'), 'info'],
  [sampleEvent('upload.discarded'), 'info'],
  [sampleEvent('connection.opened'), 'debug'],
  [sampleEvent('connection.closed'), 'debug'],
  [sampleEvent('download.aborted', { reason: 'io' }), 'error'],
  [sampleEvent('download.aborted', { reason: 'client' }), 'debug'],
  [sampleEvent('storage.degraded'), 'error'],
  [sampleEvent('storage.degraded', { recovered: true }), 'warning'],
  [sampleEvent('config.reloaded'), 'info'],
  [sampleEvent('config.reloaded', { needRestart: ['ListenPort'] }), 'warning'],
  [sampleEvent('config.rejected'), 'error'],
  [sampleEvent('worker.crashed'), 'error'],
  [sampleEvent('server.failed', { isFatal: true }), 'fatal'],
  [sampleEvent('server.failed', { isFatal: false }), 'error'],
  [sampleEvent('server.stopped'), 'info'],
];

test('chooses the level by what happened', async () => {
  for (const [body, level] of expectedLevels) {
    assert.equal((await lineOf(body)).level, level, JSON.stringify(body));
  }
});

const keptMessages = [
  ['mismatch', 'Invalid MAC'],
  ['encoding', 'Invalid MAC encoding'],
  ['missing', "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC"],
] as const;

test('keeps the texts of 2.0.2 for refused signatures and extensions', async () => {
  for (const [result, msg] of keptMessages) {
    const line = await lineOf(sampleEvent('signature.refused', { result }));
    assert.equal(line.msg, msg);
    assert.equal(line.fields['reason'], result);
    assert.equal(line.fields['scheme'], 'v2');
    assert.deepEqual(line.fields['types_tried'], ['image/png', 'application/octet-stream']);
    assert.equal(line.fields['size_bytes'], 1000);
  }
  assert.deepEqual(await lineOf(sampleEvent('upload.refused')), {
    level: 'info',
    msg: 'Attempted upload with disallowed file extension',
    fields: {
      event: 'upload.refused',
      request_id: 'r-1',
      filename: '/files/2026/picture.png',
      extension: 'exe',
    },
  });
});

test('A78 no query, signature or credential reaches a line, wherever the event carries it', async () => {
  const mac = 'deadbeef'.repeat(8);
  const path = `/files/a?v=${mac}`;
  const message = `GET ${path} with Authorization: Bearer ${mac} failed`;
  const lines = await linesOf([
    sampleEvent('request.received', { path }),
    sampleEvent('request.completed', { path }),
    sampleEvent('request.failed', { path, message, stack: `Error: ${message}\n    at x` }),
    sampleEvent('signature.refused', { path }),
    sampleEvent('upload.refused', { path }),
    sampleEvent('server.failed', { message, stack: message }),
    sampleEvent('config.rejected', { message }),
  ]);
  assert.equal(lines.length, 7);
  for (const { level, msg, fields } of lines) {
    const line = renderJson({ timeMs: 0, level, msg, fields });
    assert.ok(!line.includes('deadbeef'), line);
    assert.doesNotMatch(line, /\?\w+=/);
  }
});

test('asks the dispatcher only for events that the level lets through, also after the level has changed', () => {
  const events = new EventDispatcher();
  const logger = new LineCollector('info');
  const end = subscribeLog({ events, logger });
  assert.deepEqual(
    [events.wants('request.completed'), events.wants('connection.opened'), events.wants('server.failed')],
    [true, false, true],
  );
  logger.setLevel('debug');
  assert.equal(events.wants('connection.opened'), true);
  logger.setLevel('error');
  assert.deepEqual([events.wants('request.completed'), events.wants('request.failed')], [false, true]);
  logger.setLevel('fatal');
  assert.deepEqual([events.wants('request.completed'), events.wants('server.failed')], [false, true]);
  end();
  logger.setLevel('trace');
  assert.equal(events.wants('server.failed'), false);
});

test('A47 a flood of refused signatures becomes a few lines a second, the others are counted', async () => {
  let nowMs = 0;
  const events = new EventDispatcher({ wallClockMs: () => nowMs });
  const logger = new LineCollector('info');
  subscribeLog({ events, logger });
  for (let count = 0; count < 1000; count += 1) events.publish(sampleEvent('signature.refused'));
  nowMs = 1000;
  events.publish(sampleEvent('signature.refused'));
  await events.drain();
  assert.equal(logger.lines.length, 11);
  assert.equal(logger.lines[10]?.fields['suppressed_lines'], 990);
});

test('writes one line per error code and second while the store keeps failing', async () => {
  const failing = Array.from({ length: 50 }, () => sampleEvent('storage.degraded'));
  assert.equal((await linesOf([...failing, sampleEvent('storage.degraded', { code: 'EROFS mkdir' })])).length, 2);
});
