// What has been fetched of a meter's history, so that zooming and panning ask for nothing twice and always
// have something to draw.
//
// Amounts come in pieces of the calendar. Measurements come in pieces whose length is a power of two: a piece
// of any length has as many points as fill a screen, so that every zoom finds its own level, and until it is
// here the next coarser one that is known stands in.

import { api } from "../api.js";
import { decimalsOf } from "../decimal.js";
import { calendar, local } from "../time.js";
import type { Amounts, Bar, By, Series } from "../types.js";

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A measurement over time. Values are null where there are none. */
export interface Points {
  unit: string | null;
  label: string;
  times: number[];
  last: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  /** How many decimals the values are written with. */
  decimals: number;
  gaps: Pause[];
}

/** A time without readings, and why. */
export type Pause = Range & { readonly verdict: string | null };

type Piece<T> = { readonly answer: Promise<T>; value: T | null; failed: boolean };

/** Shared by both kinds: pieces by name, the oldest given up when there are too many. */
class Pieces<T> {
  #pieces = new Map<string, Piece<T>>();

  constructor(private readonly most: number) {}

  /** The piece if it is here. Asks for it if nobody did. */
  take(name: string, ask: () => Promise<T>): Piece<T> {
    let piece = this.#pieces.get(name);
    if (piece && !piece.failed) {
      this.#pieces.delete(name);
    } else {
      const made: Piece<T> = { answer: ask(), value: null, failed: false };
      made.answer.then(
        (value) => (made.value = value),
        () => (made.failed = true),
      );
      piece = made;
    }
    this.#pieces.set(name, piece);
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size <= this.most) break;
      this.#pieces.delete(oldest);
    }
    return piece;
  }

  known(name: string): T | null {
    return this.#pieces.get(name)?.value ?? null;
  }

  forget(which: (name: string) => boolean): void {
    for (const name of [...this.#pieces.keys()]) if (which(name)) this.#pieces.delete(name);
  }
}

/** What is known of a range, and a promise that is done when there is more, or null if that is all. */
export interface Known<T> {
  readonly value: T;
  readonly more: Promise<unknown> | null;
}

/** Remembers what was made of the same things last time: a pan asks sixty times a second. */
class Memo<T> {
  #of: readonly unknown[] = [];
  #made: T | null = null;

  make(of: readonly unknown[], make: () => T): T {
    const same = of.length === this.#of.length && of.every((one, index) => one === this.#of[index]);
    if (!same || this.#made === null) {
      this.#made = make();
      this.#of = of;
    }
    return this.#made;
  }
}

/** What was used, piece by piece. */
export interface Used {
  unit: string | null;
  label: string;
  bars: Bar[];
}

/** One meter's history. */
export class Windows {
  #used = new Memo<Used>();
  #drawn = new Map<string, Memo<Points>>();
  #amounts = new Pieces<Amounts>(60);
  #points = new Pieces<Series>(200);

  constructor(
    private readonly id: string,
    /** When the history begins, and where it ends by now. */
    private readonly whole: () => Range,
  ) {}

  /** Something new has come: what reaches up to now is asked again. */
  renew(): void {
    const end = this.whole().to;
    this.#amounts.forget((name) => Number(name.split("|")[3]) >= end - 3600);
    this.#points.forget((name) => Number(name.split("|")[2]) >= end - 3600);
  }

  amounts(key: string, by: By, range: Range): Known<Used> {
    const pieces = spans(by, range, this.whole()).map(({ from, to }) =>
      this.#amounts.take(`${key}|${by}|${from}|${to}`, () => api.amounts(this.id, key, by, from, to)),
    );
    const here = pieces.map((piece) => piece.value).filter((value) => value !== null);
    const missing = pieces.filter((piece) => piece.value === null);
    return {
      value: this.#used.make([key, by, ...here], () => used(here)),
      more: missing.length > 0 ? Promise.all(missing.map((piece) => piece.answer)) : null,
    };
  }

  points(key: string, range: Range): Known<Points> {
    const level = levelOf(range.to - range.from);
    const { from: begin, to: end } = this.whole();
    const top = levelOf(end - begin);
    const missing: Promise<unknown>[] = [];
    const found: { series: Series; range: Range }[] = [];
    for (const span of grid(level, range, { from: begin, to: end })) {
      const piece = this.#points.take(this.#name(key, span), () => this.#ask(key, span));
      if (piece.value) {
        found.push({ series: piece.value, range: span });
        continue;
      }
      missing.push(piece.answer);
      for (let coarser = level + 1; coarser <= top; coarser += 1) {
        const [above] = grid(coarser, { from: span.from, to: span.from + 1 }, { from: begin, to: end });
        const series = above && this.#points.known(this.#name(key, above));
        if (series) {
          found.push({ series, range: span });
          break;
        }
      }
    }
    let memo = this.#drawn.get(key);
    if (!memo) this.#drawn.set(key, (memo = new Memo()));
    const of = found.flatMap(({ series, range }) => [series, range.from]);
    return {
      value: memo.make(of, () => joined(found)),
      more: missing.length > 0 ? Promise.all(missing) : null,
    };
  }

  #name(key: string, span: Range): string {
    return `${key}|${span.from}|${span.to}`;
  }

  #ask(key: string, span: Range): Promise<Series> {
    return api.history(this.id, key, span.from, span.to, POINTS);
  }
}

/** In a piece of measurements; between half and all of them are on the screen. */
const POINTS = 1200;

const levelOf = (seconds: number): number => Math.max(12, Math.ceil(Math.log2(Math.max(seconds, 1))));

function grid(level: number, range: Range, whole: Range): Range[] {
  const size = 2 ** level;
  const from = Math.max(range.from, whole.from - 1);
  const to = Math.min(range.to, whole.to);
  const spans = [];
  for (let start = Math.floor(from / size) * size; start < to; start += size) {
    spans.push({ from: start, to: start + size });
  }
  return spans;
}

/** The pieces of the calendar that amounts are asked in. */
function spans(by: By, range: Range, whole: Range): Range[] {
  const first = calendar(by === "hour" ? Math.max(range.from, whole.from) : whole.from);
  if (by === "month" || by === "year") {
    return [{ from: local(first.year), to: local(calendar(whole.to).year + 1) }];
  }
  const step = by === "hour" ? 1 : 12;
  const start = calendar(Math.max(range.from, whole.from));
  const end = Math.min(range.to, whole.to);
  const pieces = [];
  for (let month = step === 12 ? 1 : start.month; ; month += step) {
    const from = local(start.year, month);
    if (from >= end) return pieces;
    pieces.push({ from, to: local(start.year, month + step) });
  }
}

/** One row of bars out of pieces. */
function used(pieces: Amounts[]): Used {
  const bars = new Map(pieces.flatMap((amounts) => amounts.bars.map((bar) => [bar.from, bar])));
  return {
    unit: pieces[0]?.unit ?? null,
    label: pieces[0]?.label ?? "",
    bars: [...bars.values()].sort((a, b) => Date.parse(a.from) - Date.parse(b.from)),
  };
}

/** One line out of pieces. A bucket without a reading is no gap: those the gateway names. */
function joined(pieces: { series: Series; range: Range }[]): Points {
  const points: Points = {
    unit: null,
    label: "",
    times: [],
    last: [],
    min: [],
    max: [],
    decimals: 0,
    gaps: [],
  };
  for (const { series, range } of pieces) {
    points.unit ??= series.unit;
    points.label ||= series.label;
    const gaps = pauses(series, range);
    let gap = 0;
    for (const [index, time] of series.times.entries()) {
      if (time < range.from || time >= range.to) continue;
      for (; gap < gaps.length && (gaps[gap] as Pause).to <= time; gap += 1)
        breakAt(points, gaps[gap] as Pause);
      const last = series.last[index] ?? null;
      const before = points.times.at(-1);
      if (last === null || (before !== undefined && time <= before)) continue;
      points.times.push(time);
      points.last.push(last);
      points.min.push(series.min[index] ?? last);
      points.max.push(series.max[index] ?? last);
    }
    for (; gap < gaps.length; gap += 1) breakAt(points, gaps[gap] as Pause);
    points.gaps.push(...gaps);
  }
  points.decimals = decimalsOf(points.last);
  return points;
}

/** The gaps of a piece, as far as they are within it. */
const pauses = (series: Series, range: Range): Pause[] =>
  series.gaps
    .map(({ from, to, verdict }) => ({
      from: Math.max(Date.parse(from) / 1000, range.from),
      to: Math.min(Date.parse(to) / 1000, range.to),
      verdict,
    }))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from);

/** Interrupts the line between the last point and whatever comes. */
function breakAt(points: Points, { from, to }: Pause): void {
  const before = points.times.at(-1);
  const at = Math.round((from + to) / 2);
  if (before === undefined || at <= before || points.last.at(-1) === null) return;
  points.times.push(at);
  points.last.push(null);
  points.min.push(null);
  points.max.push(null);
}
