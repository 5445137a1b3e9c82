// The rows and bars of the history in the unit that is shown.

import { approximate, convert, exact, type Exact, isEnergyUnit, written } from "../decimal.js";
import type { Quantity } from "../quantities.js";
import { t } from "../text.js";
import { stamp } from "../time.js";
import type { Bar } from "../types.js";
import type { Bars, Line, Picture } from "./chart.js";
import type { Range, Used } from "./windows.js";

/** A row of the table and of the file. */
export interface Row {
  readonly at: number;
  readonly cells: readonly string[];
}

/** Bars in the unit that is shown, made once for many draws. */
export interface Shown {
  readonly of: Used;
  readonly unit: string;
  readonly picture: Picture;
  readonly sums: (Exact | null)[];
  readonly texts: string[];
}

/** Bars as they are drawn and written in a unit. */
export function shownIn(unit: string, of: Used, quantity: Quantity): Shown {
  const times = of.bars.map((bar) => Date.parse(bar.from) / 1000);
  const sums = of.bars.map((bar) => (bar.amount === null ? null : exact(bar.amount)));
  const shown = sums.map((amount) => amount && inUnit(amount, of.unit, unit));
  const gaps = of.bars
    .filter((bar) => bar.amount === null)
    .map((bar) => ({ from: Date.parse(bar.from) / 1000, to: Date.parse(bar.to) / 1000 }));
  const bars: Bars = {
    label: quantity.label,
    colour: quantity.colours[0] as string,
    times,
    amounts: shown.map((amount) => amount && approximate(amount)),
    partial: of.bars.map((bar) => !bar.complete),
  };
  const texts = shown.map((amount) => (amount === null ? "" : written(amount)));
  return { of, unit, picture: { unit, bars, lines: [], gaps }, sums, texts };
}

export const inUnit = (value: Exact, from: string | null, to: string): Exact =>
  isEnergyUnit(from) && isEnergyUnit(to) ? convert(value, from, to) : value;

export const noteOn = (bar: Bar): string =>
  bar.amount === null ? t("history.none") : bar.complete ? "" : t("chart.partial");

export function added(a: Exact, b: Exact): Exact {
  const under = a.under > b.under ? a.under : b.under;
  return {
    over: a.over * (under / a.under) + b.over * (under / b.under),
    under,
    decimals: Math.max(a.decimals, b.decimals),
  };
}

/** The rows of measurements within a range: of each line the last, the lowest and the highest value. */
export function lineRows(lines: readonly Line[], range: Range): Row[] {
  const rows = new Map<number, string[]>();
  lines.forEach((line, index) => {
    for (const [place, at] of line.times.entries()) {
      const last = line.last[place] ?? null;
      if (at < range.from || at > range.to || last === null) continue;
      let cells = rows.get(at);
      if (!cells) rows.set(at, (cells = Array<string>(lines.length * 3).fill("")));
      const values = [last, line.min[place] ?? last, line.max[place] ?? last];
      cells.splice(index * 3, 3, ...values.map((value) => value.toFixed(line.decimals)));
    }
  });
  return [...rows].sort(([a], [b]) => a - b).map(([at, cells]) => ({ at, cells }));
}

/** A file for a spreadsheet. Numbers have a decimal point, times their offset. */
export function csv(columns: readonly string[], rows: readonly Row[]): string {
  const quote = (cell: string): string => (/[",\n;]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = [columns, ...rows.map(({ at, cells }) => [stamp(at), ...cells])];
  return lines.map((cells) => `${cells.map(quote).join(",")}\n`).join("");
}
