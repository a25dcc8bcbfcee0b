// Business dates: calendar days, as the account's time zone has them.
import { Invalid } from './errors.js';

/** @throws {Invalid} unless `date` is a day of the calendar, as YYYY-MM-DD. */
export function requireDate(date: string, path: readonly string[]): string {
  if (/^\d{4}-\d\d-\d\d$/.test(date)) {
    const moment = new Date(`${date}T00:00:00Z`);
    if (!Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date) && date >= '0001') return date;
  }
  throw new Invalid(`${JSON.stringify(date.slice(0, 40))} is no date; write one such as 2026-03-31.`, { path });
}

/** The calendar day that it is now in `timeZone`. */
export function todayIn(timeZone: string, nowMs: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(nowMs);
}

/** @throws {Invalid} unless `timeZone` is in the time zone database, as America/Sao_Paulo is. */
export function requireTimeZone(timeZone: string, path: readonly string[]): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    throw new Invalid(
      `${JSON.stringify(timeZone.slice(0, 60))} is no time zone; write one such as America/Sao_Paulo.`,
      { path },
    );
  }
}
