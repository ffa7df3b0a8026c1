/** HTTP-date (RFC 9110 §5.6.7): reads all three forms, writes IMF-fixdate, ignores everything else. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const month = `(?<month>${months.join('|')})`;
const time = '(?<hour>[01][0-9]|2[0-3]):(?<minute>[0-5][0-9]):(?<second>[0-5][0-9]|60)';
const dayName = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const longDayName = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';

const imfFixdate = new RegExp(`^${dayName}, (?<day>[0-9]{2}) ${month} (?<year>[0-9]{4}) ${time} GMT$`);
const rfc850Date = new RegExp(`^${longDayName}, (?<day>[0-9]{2})-${month}-(?<year>[0-9]{2}) ${time} GMT$`);
const asctimeDate = new RegExp(`^${dayName} ${month} (?<day>[ 0-9][0-9]) ${time} (?<year>[0-9]{4})$`);

/** The longest form is `Wednesday, 06-Nov-94 08:49:37 GMT`. */
const maxLength = 33;

/**
 * Milliseconds since the epoch, a multiple of 1000; null when the text is no HTTP-date.
 * @param nowMs settles the century of the two-digit years of the obsolete RFC 850 form.
 */
export function parseHttpDate(text: string, nowMs: number): number | null {
  if (text.length > maxLength) return null;
  const parts = (imfFixdate.exec(text) ?? rfc850Date.exec(text) ?? asctimeDate.exec(text))?.groups;
  if (parts === undefined) return null;
  const { day = '', month: name = '', year = '', hour, minute, second } = parts;
  const fullYear = year.length === 2 ? nearestYear(Number(year), nowMs) : Number(year);
  const midnight = Date.UTC(fullYear, months.indexOf(name as (typeof months)[number]), Number(day));
  const date = new Date(midnight);
  // 31 June rolls over into July, and years below 100 into the 20th century.
  if (date.getUTCDate() !== Number(day) || date.getUTCFullYear() !== fullYear) return null;
  return midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
}

/**
 * "Recipients of a timestamp value in rfc850-date format [...] MUST interpret a timestamp that appears to be more than
 * 50 years in the future as representing the most recent year in the past that had the same last two digits."
 */
function nearestYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`; fractions of a second are cut off. */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
