/** The `serve` command: from a configuration file to a running server, and to the exit status when it has stopped. */

import { announce, announceWarnings } from './announcement.ts';
import { App } from './app.ts';
import { exitStatus, type ServeOptions } from './cli/command.ts';
import type { Config } from './config/config.ts';
import { formatProblems } from './config/config-problem.ts';
import { loadConfig } from './config/load-config.ts';
import { readProductVersion } from './config/product-version.ts';
import { compareConfigs } from './config/reload-config.ts';
import { resolveSecret, SecretFileError } from './config/secret-file.ts';
import { EventDispatcher } from './events/event-dispatcher.ts';
import { errorFields } from './events/log-line.ts';
import { subscribeLog } from './events/log-subscriber.ts';
import { openLogger, type ServerLogger } from './events/logger.ts';
import { failureEvent } from './failure-event.ts';
import { handOverPort, shutDown } from './shutdown.ts';
import { StartError } from './start-error.ts';
import { loadUws } from './uws/load-uws.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** What is left of an unexpected error's process is stopped within this time. */
const FATAL_TIMEOUT_MS = 4_000;

/** Owner and group only, whatever the umask of the caller: paths of files are as confidential as the files. */
const UMASK = 0o007;

/** A configuration that cannot be used; the message is for the operator. */
class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Runs the server until it has stopped. */
export async function serve(options: ServeOptions): Promise<number> {
  process.umask(UMASK);
  try {
    const config = readConfig(options);
    const logger = await openLog(config);
    return await new Serving({ options, config, logger }).run();
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(error.message);
      return exitStatus.configuration;
    }
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitStatus.failure;
  }
}

function readConfig({ configFile, environment, cwd }: ServeOptions): Config {
  const loaded = loadConfig({ file: configFile, environment, cwd });
  if (!loaded.ok) throw new ConfigurationError(formatProblems(loaded.problems));
  try {
    return resolveSecret(loaded.config).config;
  } catch (error) {
    if (error instanceof SecretFileError) throw new ConfigurationError(`${error.message}\n`, { cause: error });
    throw error;
  }
}

async function openLog(config: Config): Promise<ServerLogger> {
  const standardOutput = process.stdout.isTTY ? 'readable' : 'json';
  try {
    return await openLogger({ level: config.logLevel, file: config.logFile, standardOutput });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`LogFile ${config.logFile ?? ''}: ${reason}`, { cause: error });
  }
}

/** One run of the server. */
class Serving {
  private readonly options: ServeOptions;
  private readonly logger: ServerLogger;
  private readonly events: EventDispatcher;
  private config: Config;
  private readonly webhooks: Webhooks | null;
  private app: App | null = null;
  private exit: ((status: number) => void) | null = null;
  private isStopping = false;

  constructor(dependencies: { options: ServeOptions; config: Config; logger: ServerLogger }) {
    this.options = dependencies.options;
    this.config = dependencies.config;
    this.logger = dependencies.logger;
    const { logger } = this;
    this.events = new EventDispatcher({
      onHandlerError: (error, { type }) =>
        logger.log('error', 'An event handler failed', { event: type, ...errorFields(error) }),
    });
    const { webhook } = this.config;
    this.webhooks = webhook === null ? null : new Webhooks({ config: webhook, events: this.events, logger });
  }

  async run(): Promise<number> {
    const startedMs = performance.now();
    const { config, events, logger, webhooks } = this;
    const exited = new Promise<number>((resolve) => {
      this.exit = resolve;
    });
    subscribeLog({ events, logger });
    this.attachHandlers();
    const version = readProductVersion();
    const app = new App({ config, version, uws: await loadUws(), events, logger, webhooks });
    this.app = app;
    try {
      announceWarnings({ config, logger, isRoot: process.getuid?.() === 0 });
      await this.startWebhooks();
      const ports = await app.start();
      if (ports === null) return exited;
      const { listen, metrics } = ports;
      const durationMs = performance.now() - startedMs;
      events.publish({ type: 'server.started', listen: listen.text, metrics: metrics?.text ?? null, durationMs });
      announce({ config, version, listen, logger });
    } catch (error) {
      await app.stop();
      await webhooks?.stop();
      await logger.flush();
      throw error;
    }
    return exited;
  }

  private async startWebhooks(): Promise<void> {
    try {
      await this.webhooks?.start();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartError(`WebhookURL: the queue cannot be opened: ${reason}`, { cause: error });
    }
  }

  private attachHandlers(): void {
    process.on('SIGTERM', () => this.stop('SIGTERM'));
    process.on('SIGINT', () => this.stop('SIGINT'));
    process.on('SIGHUP', () => void this.reload());
    process.on('uncaughtException', (error) => this.fail('uncaughtException', error));
    process.on('unhandledRejection', (reason) => this.fail('unhandledRejection', reason));
    process.on('exit', () => this.logger.flushSync());
  }

  private stop(signal: string): void {
    if (this.isStopping) void this.exitAtOnce();
    else if (this.app?.successor.isThere === true) void this.handOver(this.app, signal);
    else void this.shutDown(signal, this.config.shutdownTimeoutMs, exitStatus.ok);
  }

  private async handOver(app: App, signal: string): Promise<void> {
    const { shutdownTimeoutMs } = this.config;
    this.isStopping = true;
    if (await handOverPort(app, shutdownTimeoutMs)) {
      await this.shutDown(signal, shutdownTimeoutMs, exitStatus.ok);
      return;
    }
    this.isStopping = false;
    this.logger.log('warning', 'The server that was to follow is gone; this one goes on');
  }

  /** A bug: what runs may be finished quickly, then a fresh process is better. */
  private fail(code: string, reason: unknown): void {
    this.events.publish(failureEvent(code, reason, true));
    if (this.isStopping) return;
    setTimeout(() => void this.exitAtOnce(), FATAL_TIMEOUT_MS + 500).unref();
    void this.shutDown(code, FATAL_TIMEOUT_MS / 2, exitStatus.failure);
  }

  private async exitAtOnce(): Promise<void> {
    await this.app?.abandon();
    process.exit(exitStatus.failure);
  }

  private async shutDown(signal: string, timeoutMs: number, status: number): Promise<void> {
    this.isStopping = true;
    const { app, events, logger, webhooks } = this;
    if (app !== null) await shutDown({ app, events, logger, webhooks, timeoutMs }, signal);
    this.exit?.(status);
  }

  /** An unusable configuration keeps the old settings and says why. */
  private async reload(): Promise<void> {
    const { logger, events } = this;
    try {
      const { next, changed, needRestart } = compareConfigs(this.config, readConfig(this.options));
      this.config = next;
      await this.app?.applyConfig(next);
      events.publish({ type: 'config.reloaded', changed, needRestart });
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      events.publish({ type: 'config.rejected', message: error.message.trimEnd() });
    }
    await logger
      .reopen()
      .catch((error: unknown) => logger.log('error', 'The log file cannot be opened', errorFields(error)));
  }
}
