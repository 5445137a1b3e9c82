// A chart over time that can be zoomed and panned with wheel, fingers and keys. It draws what it is given
// and announces `range` when somebody moves it.

import { css, html, LitElement, type PropertyValues, type TemplateResult, unsafeCSS } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import uPlot from "uplot";
import uplotStyle from "uplot/dist/uPlot.min.css";

import { shared } from "../styles.js";
import { locale, t } from "../text.js";
import { colour } from "../theme.js";
import { zone } from "../time.js";
import type { Range } from "./windows.js";

export interface Line {
  label: string;
  /** The name of a colour of the page. */
  colour: string;
  times: number[];
  last: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  /** How many decimals its values are written with. */
  decimals: number;
}

export interface Bars {
  label: string;
  colour: string;
  times: number[];
  amounts: (number | null)[];
  /** Those that not all readings are there for. */
  partial: boolean[];
}

export interface Picture {
  unit: string;
  bars: Bars | null;
  lines: Line[];
  gaps: Range[];
}

@customElement("hm-chart")
export class Chart extends LitElement {
  @property({ attribute: false }) picture: Picture = { unit: "", bars: null, lines: [], gaps: [] };
  @property({ attribute: false }) range: Range = { from: 0, to: 1 };
  /** What may be looked at. */
  @property({ attribute: false }) whole: Range = { from: 0, to: 1 };
  @property() label = "";
  /** The narrowest range, in seconds. */
  @property({ type: Number }) narrowest = 600;

  @query(".plot") private plot!: HTMLElement;

  #chart: uPlot | null = null;
  #kind = "";
  #frame = 0;
  #fingers = new Map<number, number>();
  readonly #size = new ResizeObserver(() => this.#resize());
  readonly #recolour = (): void => {
    this.#kind = "";
    this.requestUpdate();
  };

  static override styles = [
    unsafeCSS(uplotStyle),
    shared,
    css`
      :host {
        height: clamp(15rem, 44vh, 30rem);
      }
      .plot {
        height: 100%;
        border-radius: 8px;
        touch-action: pan-y;
        cursor: grab;
      }
      .plot:active {
        cursor: grabbing;
      }
      .u-legend {
        display: none;
      }
      .u-cursor-x {
        border-color: var(--edge);
      }
      .u-cursor-y {
        display: none;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("theme", this.#recolour);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("theme", this.#recolour);
    this.#size.disconnect();
    this.#chart?.destroy();
    this.#chart = null;
    this.#kind = "";
  }

  override render(): TemplateResult {
    return html`<div
        class="plot"
        role="application"
        tabindex="0"
        aria-label=${this.label}
        aria-describedby="how"
        @keydown=${this.#key}
        @wheel=${{ handleEvent: (event: WheelEvent) => this.#wheel(event), passive: false }}
        @pointerdown=${this.#press}
        @pointermove=${this.#drag}
        @pointerup=${this.#release}
        @pointercancel=${this.#release}
        @dblclick=${(event: MouseEvent) => this.#zoom(0.5, this.#share(event.clientX))}
      ></div>
      <span id="how" class="unseen">${t("chart.how")}</span>`;
  }

  protected override firstUpdated(): void {
    this.#size.observe(this.plot);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!this.isConnected) return;
    if (changed.size === 1 && changed.has("range") && this.#chart) {
      this.#chart.setScale("x", { min: this.range.from, max: this.range.to });
      return;
    }
    const began = performance.now();
    this.#draw();
    performance.measure("chart", { start: began });
  }

  #draw(): void {
    const { bars, lines, unit } = this.picture;
    const data = bars ? barData(bars) : lineData(lines);
    // The same kind of picture only takes new data.
    const kind = JSON.stringify([bars?.colour, lines.map((line) => line.colour), unit, zone()]);
    const size = { width: this.plot.clientWidth || 300, height: this.plot.clientHeight || 240 };
    if (this.#chart && this.#kind === kind) {
      const chart = this.#chart;
      chart.batch(() => {
        chart.setData(data, false);
        chart.setScale("x", { min: this.range.from, max: this.range.to });
      });
      return;
    }
    this.#chart?.destroy();
    this.#kind = kind;
    this.#chart = new uPlot(this.#options(size), data, this.plot);
  }

  #options(size: { width: number; height: number }): uPlot.Options {
    const { bars, lines, unit } = this.picture;
    const axis = {
      stroke: colour("quiet"),
      font: "12px system-ui, sans-serif",
      grid: { stroke: colour("grid"), width: 1 },
      ticks: { stroke: colour("grid"), width: 1, size: 6 },
    };
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    if (bars) {
      const fill = colour(bars.colour);
      series.push({
        label: bars.label,
        fill,
        stroke: fill,
        width: 0,
        paths: towers,
        points: { show: false },
      });
      series.push({
        label: t("chart.partial"),
        fill: `${fill}66`,
        stroke: fill,
        width: 1,
        paths: towers,
        points: { show: false },
      });
    }
    lines.forEach((line, index) => {
      const stroke = colour(line.colour);
      series.push({ label: line.label, stroke, width: 1.6, points: { show: lonely, size: 4 } });
      series.push({ stroke: "transparent", width: 0, points: { show: false } });
      series.push({ stroke: "transparent", width: 0, points: { show: false } });
      bands.push({ series: [index * 3 + 3, index * 3 + 2], fill: `${stroke}4d` });
    });
    return {
      ...size,
      padding: [12, 8, 0, 0],
      series,
      bands,
      legend: { show: false },
      cursor: {
        drag: { x: false, y: false },
        points: { size: 7, show: bars === null },
        // A bar stands to the right of its time, and is pointed at where it stands.
        dataIdx: (chart, _, nearest, at) =>
          bars !== null && nearest > 0 && (chart.data[0][nearest] as number) > at ? nearest - 1 : nearest,
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone()),
      scales: {
        x: { time: true, range: () => [this.range.from, this.range.to] },
        y: {
          range: (chart, low, high) =>
            limits(low, bars === null ? high : Math.min(high, cap(chart, high)), bars !== null),
        },
      },
      axes: [
        {
          ...axis,
          space: 64,
          size: 40,
          ...(bars && widthOf(bars) > 300 * DAY ? { incrs: YEARS } : {}),
          values: (chart, splits, _, space, step) => dates(chart, splits, space, step),
        },
        {
          ...axis,
          label: unit,
          labelFont: axis.font,
          labelSize: 18,
          size: (_, values) => 16 + 7 * Math.max(3, ...(values ?? []).map((value) => value.length)),
          values: (_, splits, __, ___, step) => splits.map((split) => marked(split, step)),
        },
      ],
      hooks: {
        drawClear: [(chart) => this.#drawGaps(chart)],
        setCursor: [(chart) => this.#point(chart)],
      },
    };
  }

  /** Times without readings are shaded: an empty place says that, and not that nothing flowed. */
  #drawGaps(chart: uPlot): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.fillStyle = colour("line");
    ctx.globalAlpha = 0.55;
    for (const gap of this.picture.gaps) {
      const from = Math.max(chart.valToPos(gap.from, "x", true), bbox.left);
      const to = Math.min(chart.valToPos(gap.to, "x", true), bbox.left + bbox.width);
      if (to > from) ctx.fillRect(from, bbox.top, Math.max(to - from, 1), bbox.height);
    }
    ctx.restore();
  }

  #point(chart: uPlot): void {
    const index = chart.cursor.idxs?.[1] ?? null;
    const at = index === null ? null : (chart.data[0][index] ?? null);
    this.dispatchEvent(new CustomEvent("point", { detail: at }));
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (this.#chart && width > 0 && (this.#chart.width !== width || this.#chart.height !== height)) {
      this.#chart.setSize({ width, height });
    }
  }

  /** Shows another range at once, and says so. */
  #move(from: number, to: number): void {
    const most = this.whole.to - this.whole.from;
    const span = Math.min(Math.max(to - from, this.narrowest), most);
    const middle = (from + to) / 2;
    const start = Math.min(Math.max(middle - span / 2, this.whole.from), this.whole.to - span);
    this.range = { from: start, to: start + span };
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.dispatchEvent(new CustomEvent("range", { detail: this.range }));
    });
  }

  /** Zooms about a place on the screen, from 0 to 1. */
  #zoom(factor: number, share = 0.5): void {
    const { from, to } = this.range;
    const span = Math.min((to - from) * factor, this.whole.to - this.whole.from);
    const fixed = from + (to - from) * share;
    this.#move(fixed - span * share, fixed + span * (1 - share));
  }

  #pan(share: number): void {
    const shift = (this.range.to - this.range.from) * share;
    this.#move(this.range.from + shift, this.range.to + shift);
  }

  /** For the buttons around it. */
  zoom(factor: number): void {
    this.#zoom(factor);
  }

  pan(share: number): void {
    this.#pan(share);
  }

  #area(): { left: number; width: number } {
    const box = this.#chart?.over.getBoundingClientRect();
    return { left: box?.left ?? 0, width: box?.width || 1 };
  }

  #share(x: number): number {
    const { left, width } = this.#area();
    return Math.min(Math.max((x - left) / width, 0), 1);
  }

  #key(event: KeyboardEvent): void {
    const keys: Record<string, () => void> = {
      ArrowLeft: () => this.#pan(-0.2),
      ArrowRight: () => this.#pan(0.2),
      "+": () => this.#zoom(0.6),
      "=": () => this.#zoom(0.6),
      "-": () => this.#zoom(1 / 0.6),
      Home: () => this.#move(this.whole.from, this.whole.from + (this.range.to - this.range.from)),
      End: () => this.#move(this.whole.to - (this.range.to - this.range.from), this.whole.to),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.#pan(event.deltaX / this.#area().width);
    else this.#zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 250), this.#share(event.clientX));
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#fingers.set(event.pointerId, event.clientX);
    this.plot.setPointerCapture(event.pointerId);
  }

  #drag(event: PointerEvent): void {
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) return;
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.#fingers.set(event.pointerId, event.clientX);
    if (other === undefined) {
      this.#pan((before - event.clientX) / this.#area().width);
      return;
    }
    const [was, is] = [Math.abs(before - other), Math.abs(event.clientX - other)];
    if (was > 8 && is > 8) this.#zoom(was / is, this.#share((event.clientX + other) / 2));
  }

  #release(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
  }
}

const BARS = (uPlot.paths.bars as uPlot.Series.BarsPathBuilderFactory)({
  size: [0.8, 140],
  align: 1,
  radius: 0.12,
});

/** Bars; where they are too many to be told apart, their outline, which is drawn many times faster. */
const towers: uPlot.Series.PathBuilder = (chart, series, from, to) =>
  to - from > chart.width / 3 ? skyline(chart, series, from, to) : BARS(chart, series, from, to);

function skyline(chart: uPlot, series: number, from: number, to: number): uPlot.Series.Paths {
  const fill = new Path2D();
  const [times, values] = [chart.data[0], chart.data[series] ?? []];
  const ground = chart.valToPos(0, "y", true);
  const place = (index: number): number => chart.valToPos(times[index] as number, "x", true);
  for (let index = from; index <= to; index += 1) {
    const value = values[index] ?? null;
    if (value === null) continue;
    const left = place(index);
    const right = index < times.length - 1 ? place(index + 1) : 2 * left - place(Math.max(index - 1, 0));
    const top = chart.valToPos(value, "y", true);
    if (index === from || (values[index - 1] ?? null) === null) fill.moveTo(left, ground);
    fill.lineTo(left, top);
    fill.lineTo(right, top);
    if (index === to || (values[index + 1] ?? null) === null) fill.lineTo(right, ground);
  }
  return { fill, flags: 0 };
}

const widthOf = ({ times }: Bars): number => (times.at(-1) ?? 0) - (times.at(-2) ?? 0);

/** Bars of whole and of partial periods are two series, so that they can look different. */
function barData({ times, amounts, partial }: Bars): uPlot.AlignedData {
  return [
    times,
    amounts.map((amount, index) => (partial[index] ? null : amount)),
    amounts.map((amount, index) => (partial[index] ? amount : null)),
  ];
}

function lineData(lines: Line[]): uPlot.AlignedData {
  const [first, ...others] = lines;
  if (!first) return [[]];
  if (others.length === 0) return [first.times, first.last, first.min, first.max];
  return uPlot.join(lines.map((line) => [line.times, line.last, line.min, line.max]));
}

/** Points are drawn where a line would not show them. */
function lonely(chart: uPlot, index: number): boolean {
  const values = chart.data[index] ?? [];
  const [from, to] = chart.series[0]?.idxs ?? [0, values.length - 1];
  return to - from < 60;
}

/** A bar that carries what a time without readings left over may be far taller than all others: it is cut off,
 * and they are not made flat. */
function cap(chart: uPlot, high: number): number {
  const [from, to] = chart.series[0]?.idxs ?? [0, -1];
  const whole = chart.data[1] ?? [];
  let most = 0;
  for (let index = from; index <= to; index += 1) most = Math.max(most, whole[index] ?? 0);
  return most > 0 ? most * 1.5 : high;
}

function limits(low: number, high: number, fromZero: boolean): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1];
  if (fromZero) return [Math.min(0, low * 1.08), Math.max(high * 1.08, low < 0 ? 0 : 1e-6)];
  const room = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 0.05);
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

/** A mark of the scale, with as many decimals as its neighbours need. */
function marked(value: number, step: number): string {
  const digits = String(step).split(".")[1]?.length ?? 0;
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const DAY = 86_400;
/** Between the marks of bars that are years themselves. */
const YEARS = [1, 2, 5, 10].map((count) => count * 365 * DAY);

/** The dates below the chart: as much of them as tells one mark from the next. */
function dates(chart: uPlot, splits: number[], _: number, step: number): string[] {
  const write = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale(), { timeZone: zone(), hourCycle: "h23", ...options });
    return (seconds: number) => format.format(new Date(seconds * 1000));
  };
  const span = (chart.scales["x"]?.max ?? 0) - (chart.scales["x"]?.min ?? 0);
  if (step >= 360 * DAY) return splits.map(write({ year: "numeric" }));
  if (step >= 28 * DAY) {
    const [month, both] = [write({ month: "short" }), write({ month: "short", year: "2-digit" })];
    const every = span > 300 * DAY ? both : month;
    return splits.map((split, index) => (index === 0 ? both(split) : every(split)));
  }
  if (step >= DAY) return splits.map(write({ day: "numeric", month: "short" }));
  const [time, date] = [
    write({ hour: "2-digit", minute: "2-digit" }),
    write({ day: "numeric", month: "short" }),
  ];
  let shown = "";
  return splits.map((split) => {
    const today = date(split);
    const text = today === shown ? time(split) : `${time(split)}\n${today}`;
    shown = today;
    return text;
  });
}
