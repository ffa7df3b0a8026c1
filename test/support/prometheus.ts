/**
 * A real Prometheus on a free port and in a temporary folder, which scrapes what it is told four times a second. Needs
 * the Debian package `prometheus`.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { missingProgram } from './program.ts';

/** A series, with its labels. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly metric: Labels;
  /** Unix time, and the figure as text. */
  readonly value: readonly [number, string];
}

export interface ScrapeTarget {
  readonly health: string;
  readonly lastError: string;
}

const SCRAPE_INTERVAL_MS = 250;
const PATIENCE_MS = 30_000;

export class Prometheus {
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly origin: string;

  private constructor(child: ChildProcess, folder: string, origin: string) {
    this.child = child;
    this.folder = folder;
    this.origin = origin;
  }

  /**
   * `target`: host and port whose /metrics is scraped as the job `hmac-file-server`. `rules`: file with alerts, which
   * Prometheus evaluates.
   */
  static async start(target: string, rules: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
    const config = {
      global: { scrape_interval: `${SCRAPE_INTERVAL_MS}ms`, evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [{ job_name: 'hmac-file-server', static_configs: [{ targets: [target] }] }],
    };
    // JSON is YAML, too.
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const args = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ];
    const child = spawn('prometheus', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      return new Prometheus(child, folder, `http://${await listenAddress(child)}`);
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** Samples of an expression at this moment. Rejects with Prometheus's own words when it does not understand it. */
  async query(expression: string): Promise<readonly Sample[]> {
    const { result } = await this.ask<{ result: readonly Sample[] }>('query', { query: expression });
    return result;
  }

  /** Waits until the expression has samples. */
  async eventually(expression: string): Promise<readonly Sample[]> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const samples = await this.query(expression);
      if (samples.length > 0) return samples;
      if (performance.now() > deadlineMs) throw new Error(`no samples within ${PATIENCE_MS} ms: ${expression}`);
      await delay(SCRAPE_INTERVAL_MS);
    }
  }

  /** Series that a selector names. */
  series(selector: string): Promise<readonly Labels[]> {
    return this.ask('series', { 'match[]': selector });
  }

  /** An expression in Prometheus's own spelling: one way to write everything. */
  format(expression: string): Promise<string> {
    return this.ask('format_query', { query: expression });
  }

  /** Names of all series. */
  names(): Promise<readonly string[]> {
    return this.ask('label/__name__/values', {});
  }

  async targets(): Promise<readonly ScrapeTarget[]> {
    const { activeTargets } = await this.ask<{ activeTargets: readonly ScrapeTarget[] }>('targets', {});
    return activeTargets;
  }

  /** Alerts by name, with the state of their evaluation and the expression as Prometheus read it. */
  async alerts(): Promise<readonly { readonly name: string; readonly query: string; readonly lastError?: string }[]> {
    type Group = { readonly rules: readonly { readonly name: string; readonly query: string }[] };
    const { groups } = await this.ask<{ groups: readonly Group[] }>('rules', { type: 'alert' });
    return groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask<T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const response = await fetch(`${this.origin}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body = (await response.json()) as { readonly data: T; readonly error?: string };
    if (body.error !== undefined) throw new Error(`${body.error}: ${JSON.stringify(parameters)}`);
    return body.data;
  }
}

/** Prometheus names the port it got in its log. */
function listenAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    let address = '';
    child.once('error', (cause) => reject(missingProgram('prometheus', 'prometheus', cause)));
    child.once('exit', () => reject(new Error(`prometheus did not start: ${log}`)));
    if (child.stderr === null) return;
    createInterface(child.stderr).on('line', (line) => {
      log += `${line}\n`;
      address = /msg="Listening on" address=(\S+)/.exec(line)?.[1] ?? address;
      if (line.includes('Server is ready to receive web requests')) resolve(address);
    });
  });
}
