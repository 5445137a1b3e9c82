// What was used and measured, over any span.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";

import { chooseEnergyUnit, energyUnit, lookAt, meterOf } from "../choice.js";
import { ENERGY_UNITS, type EnergyUnit, isEnergyUnit, localized, written } from "../decimal.js";
import { icon } from "../icons.js";
import { Hear, live, type PollEvent, Watch } from "../live.js";
import { empty, skeleton } from "../parts/empty.js";
import { type Quantity, quantities } from "../quantities.js";
import { address, note } from "../route.js";
import { shared } from "../styles.js";
import { labelOf, t, verdictMessage } from "../text.js";
import { calendar, dateTime, day, local, month, weekday, year } from "../time.js";
import type { Bar, By, Meter } from "../types.js";
import { type Bars, type Chart, type Line, type Picture } from "../parts/chart.js";
import { added, csv, inUnit, lineRows, noteOn, type Row, type Shown, shownIn } from "../parts/shown.js";
import { type Range, Windows } from "../parts/windows.js";

import "../parts/chart.js";
import "../parts/notice.js";
import "../parts/picker.js";

const DAY = 86_400;
const BYS: readonly By[] = ["hour", "day", "month", "year"];
const SECONDS: Record<By, number> = { hour: 3600, day: DAY, month: 30.4 * DAY, year: 365.25 * DAY };
/** How far a kind of bar looks back at first. */
const BACK: Record<By, number> = { hour: 2 * DAY, day: 31 * DAY, month: 365 * DAY, year: 3652 * DAY };
/** Ten years of days; finer ones only nearer. */
const MOST_BARS = 4000;
const MOST_ROWS = 500;
const SPANS = [
  ["day", DAY],
  ["week", 7 * DAY],
  ["month", 31 * DAY],
  ["year", 366 * DAY],
  ["all", Infinity],
] as const;

@customElement("hm-history")
export class History extends LitElement {
  @property({ attribute: false }) query = new URLSearchParams();

  @state() private meterId = "";
  @state() private name = "";
  @state() private by: By = "day";
  @state() private range: Range | null = null;
  @state() private unit: EnergyUnit = energyUnit();
  @state() private asTable = false;
  @state() private pointed: number | null = null;
  @state() private problem = "";
  /** Counts what came in, so that it is drawn. */
  @state() private version = 0;

  @query("hm-chart") private chart!: Chart | null;

  readonly watch = new Watch(this);
  readonly hear = new Hear<PollEvent>(this, "poll", (poll) => {
    if (!live.same(poll.id, this.meterId)) return;
    const whole = this.#whole();
    const atEnd = this.range !== null && this.range.to >= whole.to - 120;
    this.#end = 0;
    this.#windows?.renew();
    if (atEnd && this.range) {
      const shift = this.#whole().to - this.range.to;
      this.range = { from: this.range.from + shift, to: this.range.to + shift };
    }
    this.version += 1;
  });

  #windows: Windows | null = null;
  #end = 0;
  #picture: Picture = { unit: "", bars: null, lines: [], gaps: [] };
  #shown: Shown | null = null;
  /** Made only when somebody looks at them. */
  #rows: () => Row[] = () => [];
  #columns: string[] = [];
  #sum: string | null = null;
  /** The beginnings of the first and the last bar that is seen. */
  #ends: number[] = [];
  #waiting = false;
  #timer = 0;

  static override styles = [
    shared,
    css`
      .tools {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem 1.25rem;
        align-items: end;
      }
      .tools .field {
        min-width: min(100%, 13rem);
      }
      .sum {
        font-size: clamp(1.5rem, 4vw, 2.1rem);
        font-weight: 650;
        letter-spacing: -0.02em;
        line-height: 1.1;
      }
      .over {
        min-height: 3.4rem;
        align-items: end;
      }
      .legend {
        display: flex;
        gap: 0.3rem 1.1rem;
        flex-wrap: wrap;
        font-size: 0.9rem;
      }
      .key {
        display: inline-flex;
        gap: 0.4rem;
        align-items: center;
      }
      .swatch {
        width: 0.8rem;
        height: 0.8rem;
        border-radius: 3px;
        flex: none;
      }
      .empty {
        justify-items: start;
      }
      .tabled {
        max-height: 32rem;
        overflow: auto;
      }
      @media (max-width: 34rem) {
        .tools .field,
        .segments {
          width: 100%;
        }
        .segments button {
          flex: 1;
          padding-inline: 0.3rem;
        }
      }
    `,
  ];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("query")) {
      this.name = this.query.get("show") ?? this.name;
      const by = BYS.find((by) => by === this.query.get("by"));
      if (by) this.by = by;
    }
    const led = changed.has("query");
    const meter = (led ? undefined : live.meter(this.meterId)) ?? meterOf(this.query);
    if (!meter) return;
    // An address leads to what it names, and not to where somebody had zoomed before.
    if (meter.id !== this.meterId || led) this.#open(meter);
    this.#collect(meter);
  }

  #open(meter: Meter): void {
    this.meterId = meter.id;
    this.#windows = new Windows(meter.id, () => this.#whole());
    this.#end = 0;
    this.range = this.#back(this.#quantity(meter)?.kind === "lines" ? 7 * DAY : BACK[this.by]);
  }

  /** All there is: from the first reading to now, or to the end of the bar that is growing. */
  #whole(): Range {
    this.#end ||= Math.ceil(live.now() / 1000 / 60) * 60;
    const since = live.status?.history.since;
    const begin = since ? Date.parse(since) / 1000 : this.#end;
    const meter = live.meter(this.meterId);
    const amounts = meter && this.#quantity(meter)?.kind === "amounts";
    if (!amounts) return { from: Math.min(begin, this.#end - DAY), to: this.#end };
    const { year, month, day } = calendar(this.#end);
    const to = {
      hour: Math.ceil(this.#end / 3600) * 3600,
      day: local(year, month, day + 1),
      month: local(year, month + 1),
      year: local(year + 1),
    }[this.by];
    const first = calendar(begin);
    return { from: Math.min(local(first.year, first.month, first.day), to - BACK.hour), to };
  }

  #back(seconds: number): Range {
    const whole = this.#whole();
    return { from: Math.max(whole.from, whole.to - seconds), to: whole.to };
  }

  #quantity(meter: Meter): Quantity | undefined {
    const all = quantities(meter);
    return all.find(({ name }) => name === this.name) ?? all[0];
  }

  /** Makes the picture and the table of what is known, and waits for the rest. */
  #collect(meter: Meter): void {
    const quantity = this.#quantity(meter);
    if (!quantity || !this.#windows || !this.range) return;
    this.#sum = null;
    const more = quantity.kind === "amounts" ? this.#bars(quantity) : this.#lines(meter, quantity);
    this.#waiting = more !== null;
    if (!more) return;
    const done = (problem: string) => (): void => {
      this.problem = problem;
      if (problem === "") this.version += 1;
    };
    more.then(done(""), done(t("history.problem")));
  }

  #bars(quantity: Quantity): Promise<unknown> | null {
    const range = this.range as Range;
    const { value, more } = (this.#windows as Windows).amounts(quantity.keys[0] as string, this.by, range);
    const unit = isEnergyUnit(value.unit) ? this.unit : (value.unit ?? "");
    if (this.#shown?.of !== value || this.#shown.unit !== unit) this.#shown = shownIn(unit, value, quantity);
    const shown = this.#shown;
    const { times } = shown.picture.bars as Bars;
    const first = times.findIndex((from) => from >= range.from - SECONDS[this.by] / 2);
    const visible = times.flatMap((from, index) => (index >= first && from < range.to ? [index] : []));
    this.#ends = [visible[0], visible.at(-1)].flatMap((index) =>
      index === undefined ? [] : [times[index] as number],
    );
    const amounts = visible.map((index) => shown.sums[index] ?? null).filter((amount) => amount !== null);
    const total = amounts.length === 0 ? null : inUnit(amounts.reduce(added), value.unit, unit);
    this.#sum = total && `${localized(written(total))} ${unit}`;
    this.#picture = shown.picture;
    this.#rows = () =>
      visible.map((index) => ({
        at: times[index] as number,
        cells: [shown.texts[index] as string, noteOn(value.bars[index] as Bar)],
      }));
    this.#columns = [`${quantity.label} (${unit})`, t("history.note")];
    return more;
  }

  #lines(meter: Meter, quantity: Quantity): Promise<unknown> | null {
    const range = this.range as Range;
    const waiting: Promise<unknown>[] = [];
    const lines: Line[] = [];
    let unit = "";
    let gaps: Range[] = [];
    quantity.keys.forEach((key, index) => {
      const { value, more } = (this.#windows as Windows).points(key, range);
      if (more) waiting.push(more);
      unit = value.unit ?? unit;
      const reading = meter.readings.find((reading) => reading.key === key);
      const label = reading ? labelOf(reading) : value.label;
      lines.push({ ...value, label, colour: quantity.colours[index] as string });
      if (index === 0) gaps = value.gaps;
    });
    this.#picture = { unit, bars: null, lines, gaps };
    this.#rows = () => lineRows(lines, range);
    this.#columns = lines.flatMap(({ label }) =>
      [label, `${label}, ${t("history.least")}`, `${label}, ${t("history.most")}`].map(
        (name) => `${name} (${unit})`,
      ),
    );
    return waiting.length > 0 ? Promise.all(waiting) : null;
  }

  /** What a moment of the picture is called. */
  #named(at: number): string {
    if (!this.#picture.bars) return dateTime(at);
    return { hour: dateTime, day: weekday, month, year }[this.by](at);
  }

  override render(): TemplateResult {
    if (!live.loaded) return skeleton(t("loading"), 3, 20);
    const meter = live.meter(this.meterId);
    const quantity = meter && this.#quantity(meter);
    if (!meter || !quantity || !this.range) {
      return html`<div class="stack">
        <h1>${t("nav.history")}</h1>
        <hm-picker
          .meter=${meter?.id ?? ""}
          @pick=${(event: CustomEvent<string>) => this.#pick(event.detail)}
        ></hm-picker>
        ${empty(
          "history",
          t("history.empty"),
          t("history.empty.text"),
          html`<a class="button main" href=${address(meter ? "home" : "setup")}>
            ${t(meter ? "nav.home" : "nav.setup")}
          </a>`,
        )}
      </div>`;
    }
    const energy = meter.readings.some(
      (reading) => reading.key === quantity.keys[0] && isEnergyUnit(reading.unit),
    );
    const amounts = quantity.kind === "amounts";
    return html`<div class="stack">
      <div class="row apart">
        <h1>${t("nav.history")}</h1>
        <div class="row">
          <button class="small" aria-pressed=${this.asTable} @click=${() => (this.asTable = !this.asTable)}>
            ${icon("table")}${t("history.table")}
          </button>
          <button class="small" @click=${this.#download} ?disabled=${this.#empty()}>
            ${icon("save")}${t("history.csv")}
          </button>
        </div>
      </div>
      <div class="tools">
        <hm-picker
          .meter=${meter.id}
          @pick=${(event: CustomEvent<string>) => this.#pick(event.detail)}
        ></hm-picker>
        <div class="field">
          <label for="quantity">${t("history.show")}</label>
          <select id="quantity" @change=${this.#choose}>
            ${quantities(meter).map(
              ({ name, label }) =>
                html`<option value=${name} ?selected=${name === quantity.name}>${label}</option>`,
            )}
          </select>
        </div>
        ${
          amounts
            ? html`<div class="segments" role="group" aria-label=${t("history.by")}>
                ${BYS.map(
                  (by) =>
                    html`<button aria-pressed=${this.by === by} @click=${() => this.#look(by)}>
                      ${t(`history.by.${by}`)}
                    </button>`,
                )}
              </div>`
            : html`<div class="segments" role="group" aria-label=${t("history.span")}>
                ${SPANS.map(
                  ([name, seconds]) =>
                    html`<button
                      aria-pressed=${this.#spans(seconds)}
                      @click=${() => (this.range = this.#back(seconds))}
                    >
                      ${t(`history.span.${name}`)}
                    </button>`,
                )}
              </div>`
        }
        ${
          energy
            ? html`<div class="segments" role="group" aria-label=${t("unit")}>
                ${ENERGY_UNITS.map(
                  (unit) =>
                    html`<button
                      aria-pressed=${this.unit === unit}
                      @click=${() => {
                        chooseEnergyUnit(unit);
                        this.unit = unit;
                      }}
                    >
                      ${unit}
                    </button>`,
                )}
              </div>`
            : nothing
        }
      </div>
      ${
        this.problem !== "" && this.#waiting
          ? html`<hm-notice kind="bad" heading=${this.problem}>
              <div class="row">
                <button
                  class="small"
                  @click=${() => {
                    this.problem = "";
                    this.version += 1;
                  }}
                >
                  ${t("again")}
                </button>
              </div>
            </hm-notice>`
          : nothing
      }
      <div class="card stack">
        <div class="row apart over">
          <div class="near" aria-live="polite">
            <span class="quiet small">
              ${this.#caption()}${this.#waiting ? html` · <span role="status">${t("loading")}</span>` : nothing}
            </span>
            <span class="sum number">${this.#headline()}</span>
            ${
              this.#begins(amounts) ? html`<span class="quiet small">${t("amounts.not_yet")}</span>` : nothing
            }
          </div>
          <div class="row">
            ${this.#button("back", t("chart.back"), () => this.chart?.pan(-0.6))}
            ${this.#button("further", t("chart.further"), () => this.chart?.zoom(2))}
            ${this.#button("nearer", t("chart.nearer"), () => this.chart?.zoom(0.5))}
            ${this.#button("forth", t("chart.forth"), () => this.chart?.pan(0.6))}
          </div>
        </div>
        <hm-chart
          .picture=${this.#picture}
          .range=${this.range}
          .whole=${this.#whole()}
          .narrowest=${amounts ? 6 * 3600 : 900}
          .label=${`${quantity.label}, ${this.#caption()}`}
          @range=${(event: CustomEvent<Range>) => this.#follow(event.detail, amounts)}
          @point=${(event: CustomEvent<number | null>) => (this.pointed = event.detail)}
        ></hm-chart>
        <div class="legend">
          ${[...this.#picture.lines, ...(this.#picture.bars ? [this.#picture.bars] : [])].map(
            ({ label, colour }) => this.#key(label, `var(--${colour})`),
          )}
          ${
            this.#picture.bars?.partial.some(
              (partial, index) => partial && this.#shows(this.#picture.bars?.times[index]),
            )
              ? this.#key(
                  t("chart.partial"),
                  `color-mix(in srgb, var(--${quantity.colours[0]}) 40%, transparent)`,
                )
              : nothing
          }
          ${this.#picture.lines.length > 0 ? html`<span class="quiet">${t("chart.band")}</span>` : nothing}
          ${this.#picture.gaps.some(({ from, to }) => this.#shows(from, to)) ? this.#key(t("chart.gap"), "var(--line)") : nothing}
        </div>
      </div>
      ${this.asTable ? this.#table() : nothing}
    </div>`;
  }

  #key(label: string, colour: string): TemplateResult {
    return html`<span class="key"
      ><span class="swatch" .style=${`background:${colour}`}></span>${label}</span
    >`;
  }

  #button(name: "back" | "forth" | "nearer" | "further", label: string, act: () => void): TemplateResult {
    return html`<button class="small" aria-label=${label} title=${label} @click=${act}>
      ${icon(name)}
    </button>`;
  }

  #table(): TemplateResult {
    const all = this.#rows();
    const rows = all.slice(-MOST_ROWS);
    return html`<div class="card tabled" tabindex="0" role="region" aria-label=${t("history.table")}>
      <table>
        <caption class="unseen">
          ${this.#caption()}
        </caption>
        <thead>
          <tr>
            <th>${t("history.when")}</th>
            ${this.#columns.map((column) => html`<th class="right">${column}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ at, cells }) =>
              html`<tr>
                <td>${this.#named(at)}</td>
                ${cells.map((cell) => html`<td class="right">${localized(cell)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
      ${
        rows.length < all.length
          ? html`<p class="quiet small">${t("history.rows", { count: rows.length })}</p>`
          : nothing
      }
    </div>`;
  }

  #caption(): string {
    if (this.pointed !== null) return this.#named(this.pointed);
    const { from, to } = this.range as Range;
    const named = this.#picture.bars ? { hour: day, day, month, year }[this.by] : day;
    // Of the bars that are added up; else the moment after the last second belongs to the next day.
    const [begin = from, end = to - 1] = this.#picture.bars ? this.#ends : [];
    const [first, last] = [named(begin), named(end)];
    return first === last ? first : `${first} – ${last}`;
  }

  /** What the cursor points at; else the sum of what is shown, or the latest value. */
  #headline(): string {
    const { bars, lines, unit } = this.#picture;
    if (bars) {
      const index = this.pointed === null ? -1 : bars.times.indexOf(this.pointed);
      if (index < 0) return this.#sum ?? "–";
      const text = this.#shown?.texts[index] ?? "";
      return text === "" ? t("history.none") : `${localized(text)} ${unit}`;
    }
    const values = lines.map((line) => {
      const at = this.pointed;
      const index = at === null ? line.last.length - 1 : line.times.indexOf(at);
      const value = line.last[index] ?? null;
      if (value !== null) return `${localized(value.toFixed(line.decimals))} ${unit}`;
      const gap = at === null ? undefined : this.#gapAt(at);
      return gap ? verdictMessage(gap, live.meter(this.meterId)?.port ?? "") : "–";
    });
    return [...new Set(values)].join(" · ");
  }

  /** Whether something between these moments can be seen. */
  #shows(from = 0, to = from): boolean {
    const range = this.range as Range;
    return from < range.to && to >= range.from;
  }

  #empty(): boolean {
    const { bars, lines } = this.#picture;
    return (bars?.times.length ?? 0) === 0 && lines.every((line) => line.times.length === 0);
  }

  /** Whether there is but one reading to count from. */
  #begins(amounts: boolean): boolean {
    const { from, to } = this.#whole();
    return amounts && !this.#waiting && this.#sum === null && to - from <= BACK.hour;
  }

  #gapAt(at: number): string | null {
    const gaps = this.#picture.gaps as (Range & { verdict?: string | null })[];
    return gaps.find((gap) => gap.from <= at && at <= gap.to)?.verdict ?? null;
  }

  #spans(seconds: number): boolean {
    const { from, to } = this.range as Range;
    const whole = this.#whole();
    return Math.abs(to - from - Math.min(seconds, whole.to - whole.from)) < 60;
  }

  #look(by: By): void {
    this.by = by;
    this.pointed = null;
    this.range = this.#back(BACK[by]);
    this.#note();
  }

  #choose(event: Event): void {
    const meter = live.meter(this.meterId) as Meter;
    const before = this.#quantity(meter)?.kind;
    this.name = (event.target as HTMLSelectElement).value;
    this.pointed = null;
    const kind = this.#quantity(meter)?.kind;
    if (kind !== before) this.range = this.#back(kind === "lines" ? 7 * DAY : BACK[this.by]);
    this.#note();
  }

  #pick(id: string): void {
    lookAt(id);
    const meter = live.meter(id);
    if (meter) this.#open(meter);
    this.#note();
  }

  /** The chart was moved: the bars stay as wide as can be told apart. */
  #follow(range: Range, amounts: boolean): void {
    this.range = range;
    if (!amounts) return;
    const span = range.to - range.from;
    let place = BYS.indexOf(this.by);
    while (place < 3 && span / SECONDS[BYS[place] as By] > MOST_BARS) place += 1;
    while (place > 0 && span / SECONDS[BYS[place] as By] < 2.5) place -= 1;
    const by = BYS[place] as By;
    if (by !== this.by) {
      this.by = by;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#note(), 300);
    }
  }

  #note(): void {
    const meter = live.meter(this.meterId);
    note("history", {
      ...(live.meters.length > 1 && meter ? { meter: meter.id } : {}),
      ...(this.name === "" ? {} : { show: this.name }),
      by: this.by,
    });
  }

  /** The rows that are shown, as a file. */
  #download(): void {
    const file = csv(["time", ...this.#columns], this.#rows());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file], { type: "text/csv" }));
    link.download = `heatmeter-${this.name || "history"}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}
