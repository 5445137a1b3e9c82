// Dates and times for people, in the gateway's time zone and the page's language.

import { live } from "./live.js";
import { locale, t } from "./text.js";

export const zone = (): string => live.status?.time_zone ?? "UTC";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name} ${locale()} ${zone()}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale(), { timeZone: zone(), hourCycle: "h23", ...options });
    formats.set(key, found);
  }
  return found;
}

type Moment = string | number;
const date = (moment: Moment): Date => new Date(typeof moment === "number" ? moment * 1000 : moment);

/** 26 Nov 2026, 16:35 */
export const dateTime = (moment: Moment): string =>
  format("dateTime", { dateStyle: "medium", timeStyle: "short" }).format(date(moment));

/** 16:35:30 */
export const clockTime = (moment: Moment): string =>
  format("clock", { timeStyle: "medium" }).format(date(moment));

/** 26 Nov 2026 */
export const day = (moment: Moment): string => format("day", { dateStyle: "medium" }).format(date(moment));

export const weekday = (moment: Moment): string =>
  format("weekday", { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(
    date(moment),
  );

export const month = (moment: Moment): string =>
  format("month", { month: "long", year: "numeric" }).format(date(moment));

export const year = (moment: Moment): string => format("year", { year: "numeric" }).format(date(moment));

/** What a meter says in its own time, which has no zone: a date, with a time of day or without. */
export function meterDate(text: string): string {
  const timed = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text);
  const moment = timed || /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(timed ? `${text}Z` : text) : NaN;
  if (Number.isNaN(moment)) return text;
  const style = timed
    ? ({ dateStyle: "medium", timeStyle: "short", hourCycle: "h23" } as const)
    : ({ dateStyle: "medium" } as const);
  return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...style }).format(moment);
}

/** 2026-11-26T16:35:30+01:00, for files. */
export function stamp(moment: number): string {
  const local = new Date((moment + offset(moment)) * 1000).toISOString().slice(0, 19);
  const minutes = Math.round(offset(moment) / 60);
  const two = (number: number): string => String(number).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${local}${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** How long ago, in words. */
export function ago(moment: string): string {
  const seconds = Math.max(0, (live.now() - Date.parse(moment)) / 1000);
  if (seconds < 45) return t("time.now");
  return relative(-seconds);
}

/** How long until then, in words. */
export function until(moment: string): string {
  const seconds = (Date.parse(moment) - live.now()) / 1000;
  return seconds < 45 ? t("time.soon") : relative(seconds);
}

function relative(seconds: number): string {
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: "always" });
  const size = Math.abs(seconds);
  if (size < 90 * 60) return words.format(Math.round(seconds / 60), "minute");
  if (size < 36 * 3600) return words.format(Math.round(seconds / 3600), "hour");
  return words.format(Math.round(seconds / 86_400), "day");
}

/** How far the local time is ahead of UTC, in seconds. */
export function offset(moment: number): number {
  const parts = format("parts", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    numberingSystem: "latn",
  }).formatToParts(new Date(moment * 1000));
  const part = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return Math.round(local / 1000 - Math.floor(moment));
}

/** The start of a local day; months and days count on beyond their ends. */
export function local(year: number, month = 1, day = 1): number {
  const wall = Date.UTC(year, month - 1, day) / 1000;
  const first = wall - offset(wall);
  return wall - offset(first);
}

/** Year, month and day of a moment, locally. */
export function calendar(moment: number): { year: number; month: number; day: number } {
  const shifted = new Date((moment + offset(moment)) * 1000);
  return { year: shifted.getUTCFullYear(), month: shifted.getUTCMonth() + 1, day: shifted.getUTCDate() };
}
