/**
 * The real Prometheus scrapes the real server, and everything that ships for it is held against what it then knows: no
 * alert and no panel asks for a name, a label or a value that does not exist.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { annotationQueries, panelQueries, variableSelectors } from '../support/dashboard.ts';
import { runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';
import { Prometheus } from '../support/prometheus.ts';
import { ServerProcess } from '../support/server-process.ts';

const RULES = join(projectRoot, 'deploy', 'prometheus', 'alerts.yml');
/** What promtool objects to, and why it stays stands in docs/metrics.md. */
const KEPT_NAMES = ['hmac_active_connections_total', 'hmac_event_loop_lag_seconds', 'hmac_goroutines_count'];

let server: ServerProcess;
let prometheus: Prometheus;

before(async () => {
  server = await ServerProcess.start();
  prometheus = await Prometheus.start(`127.0.0.1:${server.metricsPort}`, RULES);
  // Rates are seen between two scrapes only.
  await prometheus.eventually('hmac_file_server_uploads_total');
  await exchangeOneFile();
  await prometheus.eventually('rate(hmac_file_server_uploads_total[10s]) > 0');
});

after(async () => {
  await prometheus.stop();
  await server.stop();
});

async function exchangeOneFile(): Promise<void> {
  const target = server.signedTarget('a.txt', 5);
  const put = await fetch(server.origin + target, { method: 'PUT', body: 'hello' });
  assert.equal(put.status, 201);
  const get = await fetch(`${server.origin}/files/a.txt`);
  assert.equal(await get.text(), 'hello');
}

/** Selectors in an expression as Prometheus itself spells it: a name, maybe with matchers. */
function selectorsIn(formatted: string): string[] {
  // What is in braces may hold anything, also words that look like names.
  const withoutGrouping = formatted.replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const token = /\b[a-zA-Z_:][\w:]*\b(?!\s*\()(?:\s*\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?/g;
  const keywords = new Set(['and', 'or', 'unless', 'offset', 'bool', 'sum', 'min', 'max', 'count', 'avg', 'topk']);
  return [...withoutGrouping.replaceAll(/\[[^\]]*\]/g, ' ').matchAll(token)]
    .map(([selector]) => selector)
    .filter((selector) => !keywords.has(selector) && !/^[\d_]*[smhdwy]$/.test(selector));
}

test('selectors are found among functions, groupings and texts', () => {
  const expression =
    'sum by (le, job) (rate(a_total{x="} b{", y=~"1|2"}[5m])) / on (job) b * 2 > 0 and c unless d{z="1"}';
  assert.deepEqual(selectorsIn(expression), ['a_total{x="} b{", y=~"1|2"}', 'b', 'c', 'd{z="1"}']);
});

test('Prometheus understands a scrape: the target is up', async () => {
  await prometheus.eventually('up == 1');
  assert.deepEqual(
    (await prometheus.targets()).map(({ health, lastError }) => ({ health, lastError })),
    [{ health: 'up', lastError: '' }],
  );
});

test('Prometheus knows every name of /metrics after a scrape, and no other than its own', async () => {
  const text = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
  const exported = [...text.matchAll(/^(\w+)(?:\{.*\})? \S+$/gm)].map(([, name = '']) => name);
  const own = /^(?:up|ALERTS.*|scrape_.*)$/;
  const known = (await prometheus.names()).filter((name) => !own.test(name));
  assert.deepEqual(known.toSorted(), [...new Set(exported)].toSorted());
});

test('promtool finds no fault with the metrics but those that the documentation admits', async () => {
  const text = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
  const { stderr } = await runProgram('promtool', ['check', 'metrics'], { debian: 'prometheus', input: text });
  const complaints = stderr.trimEnd().split('\n');
  assert.deepEqual([...new Set(complaints.map((line) => line.split(' ')[0]))], KEPT_NAMES, stderr);
});

test('every alert is evaluated without an error, and each of its selectors names series that exist', async () => {
  await prometheus.eventually('up');
  const alerts = await prometheus.alerts();
  assert.ok(alerts.length > 10);
  for (const { name, query, lastError = '' } of alerts) {
    assert.equal(lastError, '', name);
    await everySelectorHasSeries(name, query);
  }
});

test('every expression of the dashboard has figures, and each of its selectors names series that exist', async () => {
  assert.ok(panelQueries.length > 40);
  for (const { panel, expression } of panelQueries) {
    await everySelectorHasSeries(panel, expression);
    await prometheus.eventually(expression);
  }
  for (const { panel, expression } of annotationQueries) await everySelectorHasSeries(panel, expression);
});

test('the variables of the dashboard have values to choose from', async () => {
  assert.equal(variableSelectors.length, 2);
  for (const selector of variableSelectors) await everySelectorHasSeries('variable', selector);
});

test('a name, a label or a value that does not exist is noticed', async () => {
  for (const wrong of [
    'hmac_nothing_total',
    'hmac_ready{nothing="1"}',
    'rate(hmac_http_responses_total{code="299"}[5m])',
  ]) {
    await assert.rejects(everySelectorHasSeries('wrong', wrong), /names no series/, wrong);
  }
});

async function everySelectorHasSeries(place: string, expression: string): Promise<void> {
  const selectors = selectorsIn(await prometheus.format(expression));
  assert.ok(selectors.length > 0, `${place}: nothing is selected by ${expression}`);
  for (const selector of selectors) {
    const series = await prometheus.series(selector);
    assert.ok(series.length > 0, `${place}: ${selector} names no series`);
  }
}
