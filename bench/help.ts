/** What `bench --help` and `bench --list` print. */

import { PRESET_SETS, PRESETS } from './presets.ts';

export const HELP = `Usage: hmac-file-server bench [OPTIONS] SCENARIO

Loads a server, checks every answer, and says how fast it was. Scenarios are presets (--list) or written out:

  bench put-64k                                     a preset, against this server
  bench put size=64KiB connections=32               the same, written out
  bench get size=4KiB..1MiB connections=16 rate=500 open loop: 500 requests a second, whatever happens
  bench put size=1GiB connections=2 + get size=16KiB rate=100    two loads at the same time
  bench goals --vs nginx --dir /dev/shm --html report.html       against nginx, A B A B, five pairs
  bench put-64k --baseline main --min-ratio 0.97    the working tree against a git revision
  bench put size=1MiB --target https://files.example.org/files/ --secret S --sign v2
  bench get connections=8 --target http://127.0.0.1:8080/some/file.bin

Loads
  put get head append mixed     append: tus uploads; mixed: put and get, divided by reads=
  size=64KiB                    also 4KiB..1MiB (random) and 16KiB:9,1MiB:1 (a mix with weights)
  connections=1                 (or conns=) each sends its next request when it has its answer
  rate=N                        requests per second in all; latency counts from the time at which a request was due
  arrivals=even|poisson         spacing of an open loop
  duration=5s  requests=N       the load ends after this time, or this many requests
  range=64KiB                   get: ranges of this size at random places
  files=N                       get, head: choose among so many files
  piece=1MiB                    append: bytes per PATCH
  speed=32KiB                   slow clients: bytes per second of each connection
  churn                         a new connection for each request
  reads=80%                     mixed: share of the connections that read
  timeout=60s                   a request in which nothing moves for so long has failed
  name=TEXT                     how the load is called in the report

Targets
  --target T          server (default: this build), server:DIR (another checkout, built), either with settings of
                      the server (server?Listeners=2&Durability=full), nginx (as it is packaged, with DAV; or with
                      directives: nginx?client_body_buffer_size=1m), sink (discards everything: shows the
                      speed of the generator), one-by-one (two syncs for each upload, one after the other:
                      shows the disk), or a URL: http://host/prefix/, http://host/{path}?v={v} (also {size},
                      {v2}), or one file to read. Repeatable
  --secret S          signs uploads to a URL (or environment BENCH_SECRET: not seen by other users)
  --sign v|v2|none    form of the signature (default v)
  --type TYPE         Content-Type of uploads
  --pid N             process of the server behind a URL, for its CPU time and memory
  --delete            delete what was uploaded to a URL, by a plain DELETE
  --delete-secret S   … by a DELETE signed with the secret and this delete secret
  --no-read-back      do not read a sample of the uploads again
  --insecure          do not check the certificate
  --durability D      of target server: none (default), file, full

Comparisons
  --vs T              alternates --target and T, and compares the medians
  --baseline REV      alternates the working tree and a git revision, both built in temporary folders
  --pairs N           at least 5 (default)
  --min-ratio R       exit 1 when a ratio (above 1: the first is better) is below R
  --metric M          throughput, requests, p50, p99, cpu or memory (default: what suits the load)

Bounds and outputs
  --dir DIR           where stores are made, and removed again (default: the system's temporary folder). Repeatable
  --duration 5s       of loads that do not say it themselves
  --warm-up 1s        before each run, not counted
  --repeat N          runs of each scenario; the table shows medians
  --max-data 9GB      a run ends when its uploads hold so much (at most 10 GB)
  --threads N         load threads (default: half of the cores)
  --json FILE         everything, for programs (- for standard output)
  --html FILE         one page with plots, complete in itself
  -q, --quiet         no progress

Exit status: 0 all answers were right; 1 errors, or a ratio below --min-ratio; 2 the command line or a target is
wrong; 130 interrupted. Files and processes that a run made are gone at its end in every case.
`;

/** The presets as a text. */
export function listPresets(): string {
  const width = Math.max(...[...Object.keys(PRESETS), ...Object.keys(PRESET_SETS)].map((name) => name.length)) + 2;
  const presets = Object.entries(PRESETS).map(
    ([name, { title, text }]) => `${name.padEnd(width)}${title}\n${' '.repeat(width)}  ${text}`,
  );
  const sets = Object.entries(PRESET_SETS).map(([name, members]) => `${name.padEnd(width)}${members.join(' ')}`);
  return `${presets.join('\n')}\n\nSets\n${sets.join('\n')}\n`;
}
