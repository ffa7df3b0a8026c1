/** The two text formats in which metrics are exposed, and the choice between them. */

export type ExpositionFormat = 'text' | 'openmetrics';

export const EXPOSITION_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const OPENMETRICS_TYPE = 'application/openmetrics-text';
/** Most specific first (RFC 9110 §12.5.1). */
const TEXT_RANGES = ['text/plain', 'text/*', '*/*'];
const COUNTER_HEAD = /^# HELP (\w+)_total (.*)\n# TYPE \1_total counter$/gm;

/** OpenMetrics for scrapers that ask for it by name and like it no less than plain text. `ranges`: members of Accept. */
export function chooseFormat(ranges: readonly string[]): ExpositionFormat {
  const weights = new Map<string, number>();
  for (const range of ranges) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    weights.set(type, Math.max(weights.get(type) ?? 0, weightOf(parameters)));
  }
  const openMetrics = weights.get(OPENMETRICS_TYPE) ?? 0;
  const text = TEXT_RANGES.map((range) => weights.get(range)).find((weight) => weight !== undefined) ?? 0;
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text';
}

/**
 * Turns the Prometheus text format 0.0.4 into OpenMetrics 1.0: counter families lose `_total`, empty lines go, an end is
 * marked. prom-client can do it too, but renames its counters for good, so that the next plain scrape is wrong.
 */
export function toOpenMetrics(text: string): string {
  const families = text.replace(COUNTER_HEAD, '# HELP $1 $2\n# TYPE $1 counter').replace(/\n{2,}/g, '\n');
  return `${families.trimEnd()}\n# EOF\n`;
}

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const value = weight === undefined ? 1 : Number(weight.slice(2));
  return value >= 0 && value <= 1 ? value : 0;
}
