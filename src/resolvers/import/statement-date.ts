// Days as statement files write them. A moment with an offset becomes the day that it was in the account's time zone;
// a day without a moment is the bank's business day and stays what it is.

/** `YYYY-MM-DD` if the calendar has that day. */
export function calendarDay(year: string, month: string, day: string): string | undefined {
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || year < '1900') return undefined;
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? undefined : date;
}

/**
 * The day of OFX's `YYYYMMDD[HHMM[SS[.XXX]]][[offset:zone]]`. The zone's name is not believed, its offset is; midnight
 * stands for no time at all, and a time without an offset is the bank's own.
 */
export function ofxDay(text: string, timeZone: string): string | undefined {
  const [, day, time = '', zone] =
    /^(\d{8})(\d{2}|\d{4}|\d{6})?(?:[.:]\d{1,6})?\s*(?:\[([^\]]{0,20})\])?$/.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const date = calendarDay(day.slice(0, 4), day.slice(4, 6), day.slice(6));
  const [, hours, minutes = '0'] = /^([+-]?\d{1,2})(?:[.:](\d{1,2}))?(?::|$)/.exec(zone ?? '') ?? [];
  if (date === undefined || !isTime(time)) return undefined;
  if (hours === undefined) return date;
  const sign = hours.startsWith('-') ? -1 : 1;
  const part = minutes.length === 2 && Number(minutes) < 60 ? Number(minutes) : Number(minutes) * 6;
  return dayIn(date, time.padEnd(6, '0'), Number(hours) * 60 + sign * part, timeZone);
}

/** The day of ISO 8601's `YYYY-MM-DD`, with a time and an offset where there are any. */
export function isoDay(text: string, timeZone: string): string | undefined {
  const [, year, month = '', day = '', time, zone] =
    /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)?$/.exec(text.trim()) ?? [];
  if (year === undefined) return undefined;
  const date = calendarDay(year, month, day);
  const digits = (time ?? '00:00:00').replaceAll(':', '');
  if (date === undefined || !isTime(digits)) return undefined;
  if (time === undefined || zone === undefined) return date;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  return dayIn(date, digits, (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)), timeZone);
}

/** The day of SWIFT's `YYMMDD`: 80 to 99 are of the last century, as the standard has it. */
export function swiftDay(text: string): string | undefined {
  if (!/^\d{6}$/.test(text)) return undefined;
  const year = text.slice(0, 2);
  return calendarDay(`${year >= '80' ? '19' : '20'}${year}`, text.slice(2, 4), text.slice(4));
}

/** The day of SWIFT's entry date `MMDD`, which takes its year from the value date: the nearest. */
export function swiftEntryDay(text: string, valueDay: string): string | undefined {
  const year = Number(valueDay.slice(0, 4));
  const candidates = [year, year - 1, year + 1].flatMap(
    (each) => calendarDay(String(each), text.slice(0, 2), text.slice(2)) ?? [],
  );
  const away = (day: string) => Math.abs(Date.parse(day) - Date.parse(valueDay));
  return candidates.sort((a, b) => away(a) - away(b))[0];
}

/** The next day of the calendar. */
export function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

function isTime(digits: string): boolean {
  const time = digits.padEnd(6, '0');
  return time.slice(0, 2) < '24' && time.slice(2, 4) < '60' && time.slice(4) <= '60';
}

function dayIn(date: string, time: string, offsetMinutes: number, timeZone: string): string | undefined {
  if (time === '000000') return date;
  if (Math.abs(offsetMinutes) > 14 * 60) return undefined;
  const moment = Date.parse(`${date}T${time.slice(0, 2)}:${time.slice(2, 4)}:00Z`) - offsetMinutes * 60_000;
  return formatIn(timeZone).format(moment);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  formats.set(timeZone, format);
  return format;
}
