/** The measured time of a run: what is said of the server whatever the load does. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { Measurement, type MeasurementSettings } from '../../bench/measurement.ts';
import { parseScenario } from '../../bench/scenario-grammar.ts';
import { loopbackEndpoint } from '../../bench/targets/loopback-endpoint.ts';

/** A crew whose load is over as soon as it is told to begin, before any timer has its turn. */
const doneAtOnce: MeasurementSettings['crew'] = {
  measure: async (_start, _end, { onLoadFinished }) => onLoadFinished(0),
  end: () => {},
};

test('a load that is over at once has been watched: the server is in the report', async () => {
  const target = { name: 'own', isOurs: true, start: () => Promise.reject(new Error('it runs')) };
  const running = {
    endpoint: loopbackEndpoint(9, { writeTemplate: '/', readTemplate: '/' }),
    description: 'this process',
    pids: () => [process.pid],
    stop: async () => {},
  };
  const scenario = parseScenario('get requests=1 connections=1', 1_000);
  const measurement = new Measurement({
    scenario,
    target,
    running,
    crew: doneAtOnce,
    threads: [1],
    directory: tmpdir(),
    onProgress: () => {},
  });
  const { server } = await measurement.run();
  assert.ok((server?.peakResidentBytes ?? 0) > 1e6);
});
