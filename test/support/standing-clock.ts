/** A server whose wall clock shows one time and stands there: one second before an expiry is long over on a busy machine. */

/** Environment of such a server; empty without a time, for the clock of this host. */
export function clockAt(unixSeconds: number | undefined): Readonly<Record<string, string>> {
  if (unixSeconds === undefined) return {};
  const code = `Date.now=()=>${unixSeconds}000`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
