/** The operator's page names exactly what there is: metrics, events, log fields. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LINE_RULES } from '../../src/main/events/event-lines.ts';
import { LOG_MESSAGES } from '../../src/main/events/log-messages.ts';
import type { EventOf, ServerEventType } from '../../src/shared/events.ts';
import { MetricsProbe } from '../support/metrics-probe.ts';
import { projectRoot } from '../support/project-root.ts';
import { eventTypes, sampleEvent } from '../support/sample-events.ts';

const page = readFileSync(join(projectRoot, 'docs', 'metrics.md'), 'utf8');

/** Cells of the table rows below a heading whose first cell is a single name in backticks. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, heading);
  return section
    .split('\n')
    .filter((line) => /^\|\s*`[\w.]+`\s*\|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, ...cells]) => cells);
}

test('the list of metrics has the name, type and labels of everything that is exported, and nothing else', async () => {
  const probe = new MetricsProbe();
  const text = await probe.metrics.render('text');
  probe.stop();
  const exported = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => {
    const [, labels = ''] = new RegExp(`^${name}(?:_bucket)?\\{([^}]*(?:\\{\\w+\\}[^}]*)*)\\}`, 'm').exec(text) ?? [];
    const labelNames = [...labels.matchAll(/(\w+)="/g)]
      .map(([, label = '']) => label)
      .filter((label) => label !== 'le');
    return `${name} ${type} ${labelNames.join(', ')}`;
  });
  const listed = rowsBelow('Metrics')
    .filter(([name = '']) => /^(hmac|process)_/.test(name))
    .map(([name, type, labels]) => `${name} ${type} ${labels}`);
  assert.deepEqual(listed.toSorted(), exported.toSorted());
});

test('the list of events is complete', () => {
  assert.deepEqual(
    rowsBelow('Events').map(([type]) => type),
    eventTypes,
  );
});

function fieldNames<T extends ServerEventType>(type: T): string[] {
  const event: EventOf<T> = { ...sampleEvent(type), seq: 1, time: 0 } as EventOf<T>;
  return Object.keys(LINE_RULES[type].fields(event));
}

test('the list of log fields is complete, and names no field that no line has', () => {
  const frame = ['time', 'level', 'msg', 'event', 'suppressed_lines', 'target', 'lines'];
  const used = new Set([...frame, ...eventTypes.flatMap((type) => fieldNames(type))]);
  const listed = rowsBelow('Log lines').map(([name]) => name ?? '');
  assert.deepEqual(listed.toSorted(), [...used].toSorted());
});

test('the texts kept from 2.0.2 stand on the page', () => {
  for (const message of Object.values(LOG_MESSAGES)) assert.ok(page.includes(`\`${message}\``), message);
});
