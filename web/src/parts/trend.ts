// The last 24 hours of a measurement as a small picture: whether something goes on, not how much.

import { css, html, LitElement, nothing, type PropertyValues, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { api } from "../api.js";
import { decimalsOf, localized } from "../decimal.js";
import { Hear, live, type PollEvent } from "../live.js";
import { address } from "../route.js";
import { shared } from "../styles.js";
import { t } from "../text.js";
import type { Series } from "../types.js";

const HOURS = 24;
const WIDTH = 600;
const HEIGHT = 56;
/** A meter that is read often does not need a new picture each time. */
const PAUSE = 20_000;

@customElement("hm-trend")
export class Trend extends LitElement {
  @property() meter = "";
  @property() key = "";

  @state() private series: Series | null = null;

  #askedAt = 0;

  readonly hear = new Hear<PollEvent>(this, "poll", ({ id }) => {
    if (live.same(id, this.meter) && Date.now() - this.#askedAt > PAUSE) void this.#ask();
  });

  static override styles = [
    shared,
    css`
      a {
        display: block;
        color: inherit;
        text-decoration: none;
        border-radius: 8px;
      }
      svg {
        width: 100%;
        height: 3.5rem;
        display: block;
        overflow: visible;
      }
      .area {
        fill: var(--accent-soft);
      }
      .line {
        fill: none;
        stroke: var(--accent);
        stroke-width: 1.6;
        vector-effect: non-scaling-stroke;
        stroke-linejoin: round;
      }
      .scale {
        display: flex;
        justify-content: space-between;
        font-size: 0.8rem;
        border-top: 1px solid var(--line);
        padding-top: 0.2rem;
      }
    `,
  ];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("meter") || changed.has("key")) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#askedAt = Date.now();
    const to = Math.floor(live.now() / 1000);
    // Without it the rest of the page is worth as much.
    this.series = await api.history(this.meter, this.key, to - HOURS * 3600, to, 144).catch(() => null);
  }

  override render(): TemplateResult | typeof nothing {
    const { series } = this;
    const values = series?.last.filter((value) => value !== null) ?? [];
    if (!series || values.length < 3) return nothing;
    const to = Date.parse(series.to) / 1000;
    const top = Math.max(...values, 1e-6);
    const most = `${localized(top.toFixed(decimalsOf(values)))} ${series.unit ?? ""}`;
    const low = Math.min(...values, 0);
    const x = (time: number): number => ((time - to + HOURS * 3600) / (HOURS * 3600)) * WIDTH;
    const y = (value: number): number => HEIGHT - ((value - low) / (top - low)) * (HEIGHT - 4);
    // A time without readings interrupts the line, as it does in the history.
    const pieces: [x: string, y: string][][] = [[]];
    for (const [index, time] of series.times.entries()) {
      const value = series.last[index] ?? null;
      if (value === null) pieces.push([]);
      else pieces.at(-1)?.push([x(time).toFixed(1), y(value).toFixed(1)]);
    }
    const drawn = pieces.filter((points) => points.length > 0);
    const line = drawn.map((points) => `M${points.map((point) => point.join(" ")).join("L")}h0.1`).join("");
    const area = drawn
      .map((points) => {
        const [first, last] = [points[0]?.[0], points.at(-1)?.[0]];
        return `M${first} ${y(0)}L${points.map((point) => point.join(" ")).join("L")}L${last} ${y(0)}Z`;
      })
      .join("");
    return html`<a href=${address("history", { meter: this.meter, show: this.key })}
      ><span class="unseen">${t("home.trend")}</span>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        ${svg`<path class="area" d=${area}></path>
        <path class="line" d=${line}></path>`}
      </svg>
      <div class="scale quiet" aria-hidden="true">
        <span>${t("home.trend.from")}</span><span>${t("home.trend.most", { value: most })}</span
        ><span>${t("home.trend.to")}</span>
      </div>
    </a>`;
  }
}
