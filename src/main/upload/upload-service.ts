/**
 * Executes upload commands, whatever protocol they came by: admission, transfer to a lane, outcome. It enforces what
 * the authorisers granted, and publishes what became of each upload.
 */

import type { BufferPool } from '../../shared/buffers.ts';
import type { EventPublisher, UploadProtocol } from '../../shared/events.ts';
import type { FileKey } from '../../shared/files.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Problem, problems } from '../http/problem.ts';
import type { WorkerPool } from '../lanes/worker-pool.ts';
import type { StoreHealth } from '../store/store-health.ts';
import { ReadGate } from './read-gate.ts';
import { bodyOf, ResumableRequest } from './resumable-request.ts';
import type { OnEnd, RunningUploadParts } from './running-upload.ts';
import { StoreUpload } from './store-upload.ts';
import { UploadLanes } from './upload-lanes.ts';
import type { UploadCommand } from './upload-protocol.ts';
import { UploadReport } from './upload-report.ts';
import type { UploadsInFlight } from './uploads-in-flight.ts';

export interface UploadServiceOptions {
  readonly pool: WorkerPool;
  readonly buffers: BufferPool;
  readonly events: EventPublisher;
  readonly health: StoreHealth;
  /** Also those whose client has left while the commit was running, or what arrived is being stored. */
  readonly inFlight: UploadsInFlight;
  readonly maxConcurrentUploads: number;
  /** Of an existing file that an upload replaces; null: slots are used once. */
  readonly keepVersions: () => number | null;
  /** What is kept of a body whose client leaves can be gone on with. */
  readonly isResumable: boolean;
  /** null: all are. */
  readonly allowedExtensions: () => ReadonlySet<string> | null;
  /** Told of every file that appears under a name. */
  readonly onStored: (key: FileKey) => void;
}

export class UploadService {
  private readonly options: UploadServiceOptions;
  private readonly gate: ReadGate;
  private readonly report: UploadReport;
  private readonly lanes: UploadLanes;
  private onIdle: (() => void) | null = null;

  constructor(options: UploadServiceOptions) {
    this.options = options;
    this.gate = new ReadGate(options.buffers);
    this.report = new UploadReport(options.events);
    const { pool } = options;
    this.lanes = new UploadLanes({ hasChoice: pool.uploadLaneCount > 1, leastBusy: () => pool.uploadLane() });
  }

  /**
   * Executes the command with the body of the exchange. Called in the turn in which the request arrived. `onEnd` is
   * called at most once, and not when the client left before the body was complete.
   */
  execute(command: UploadCommand, exchange: Exchange, onEnd: OnEnd): void {
    const { inFlight, isResumable, allowedExtensions } = this.options;
    const protocol = protocolOf(command);
    const problem = this.admit(command, protocol);
    if (problem !== null) {
      onEnd({ kind: 'refused', problem, failure: null });
      return;
    }
    const onOver = (): void => {
      this.lanes.leave(command);
      inFlight.end(protocol);
      if (inFlight.own === 0) this.onIdle?.();
    };
    const parts = this.partsOf(command, { exchange, onOver, onEnd });
    if (command.type === 'store') new StoreUpload(parts, command, isResumable).start();
    else new ResumableRequest(parts, command, allowedExtensions()).start();
  }

  /**
   * Resolves when the outcome of every upload is decided, or after that time: what is left then is stored, too, but
   * nobody says so.
   */
  settled(timeoutMs: number): Promise<void> {
    if (this.options.inFlight.own === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Counts the upload in, or says why it may not begin. */
  private admit(command: UploadCommand, protocol: UploadProtocol): Problem | null {
    const { events, health, inFlight, maxConcurrentUploads: limit } = this.options;
    if (health.isDegraded && isWriting(command)) return problems.unavailable;
    // Counted before it is looked at: others may be let in at the same moment.
    const uploads = inFlight.begin(protocol);
    if (uploads <= limit || !hasBody(command)) return null;
    inFlight.end(protocol);
    events.publish({ type: 'pool.saturated', uploads: limit, limit });
    return problems.busy;
  }

  private partsOf(
    command: UploadCommand,
    ends: Pick<RunningUploadParts, 'exchange' | 'onOver' | 'onEnd'>,
  ): RunningUploadParts {
    const { pool, buffers, health, onStored } = this.options;
    const { gate, report } = this;
    return {
      lane: this.lanes.enter(command),
      buffers,
      reapLanes: () => pool.reapUploads(),
      gate,
      report,
      health,
      keepVersions: this.options.keepVersions(),
      onStored,
      ...ends,
    };
  }
}

function protocolOf(command: UploadCommand): UploadProtocol {
  return command.type === 'store' ? command.grant.protocol : command.command.protocol;
}

/** Short commands are always let in: clients ask where to go on when there is much to do. */
function hasBody(command: UploadCommand): boolean {
  return command.type === 'store' || bodyOf(command.command) !== null;
}

function isWriting(command: UploadCommand): boolean {
  return command.type === 'store' || command.command.type !== 'inspect';
}
