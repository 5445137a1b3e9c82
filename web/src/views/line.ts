// What went over the line, and what it costs the meter's battery.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { api } from "../api.js";
import { meterOf } from "../choice.js";
import { localized } from "../decimal.js";
import { icon } from "../icons.js";
import { Hear, live, type PollEvent, Watch } from "../live.js";
import { empty, skeleton } from "../parts/empty.js";
import { address, note } from "../route.js";
import { SCHEDULES, scheduleName } from "../schedules.js";
import { shared } from "../styles.js";
import { t, verdictMessage } from "../text.js";
import { clockTime, day, dateTime } from "../time.js";
import type { Battery, Exchange } from "../types.js";

import { told } from "../parts/notice.js";
import "../parts/picker.js";

/** Readings a day that the manufacturer reckons with. */
const DOCUMENTED = 24;

@customElement("hm-line")
export class LineView extends LitElement {
  @property({ attribute: false }) query = new URLSearchParams();

  @state() private meterId = "";
  @state() private exchanges: Exchange[] | null = null;
  /** The one that is open at first. */
  @state() private opened = "";
  @state() private problem = "";
  @state() private schedule: string = SCHEDULES[2][0];
  @state() private cost: Battery | null = null;
  @state() private costProblem = "";

  readonly watch = new Watch(this, 15);
  readonly hear = new Hear<PollEvent>(this, "poll", ({ id }) => {
    if (live.same(id, this.meterId)) void this.#ask();
  });

  static override styles = [
    shared,
    css`
      .exchange summary {
        display: grid;
        grid-template-columns: max-content max-content minmax(0, 1fr) max-content;
        gap: 0.2rem 0.9rem;
        align-items: center;
        list-style: none;
        padding: 0.6rem 0;
        font-weight: 400;
      }
      .exchange summary::before {
        content: "";
        width: 0.45rem;
        height: 0.45rem;
        margin: 0 0.15rem;
        border: solid var(--quiet);
        border-width: 0 2px 2px 0;
        rotate: -45deg;
      }
      .exchange[open] summary::before {
        rotate: 45deg;
      }
      .exchange summary::-webkit-details-marker {
        display: none;
      }
      .exchange {
        border-bottom: 1px solid var(--line);
      }
      .exchange:last-child {
        border-bottom: 0;
      }
      .verdict {
        display: inline-flex;
        gap: 0.4rem;
        align-items: center;
        font-weight: 600;
      }
      .ok {
        color: var(--good);
      }
      .failed {
        color: var(--bad);
      }
      .bytes {
        display: grid;
        grid-template-columns: minmax(4.5rem, max-content) max-content minmax(0, 1fr);
        gap: 0.3rem 0.9rem;
        padding: 0.4rem 0 1rem;
      }
      .bytes > :nth-child(3n + 1) {
        text-align: right;
        color: var(--quiet);
      }
      .to {
        color: var(--return);
      }
      .from {
        color: var(--good);
      }
      .costs {
        display: grid;
        gap: 0.8rem;
      }
      .costs .track {
        background: var(--raised);
        border-radius: 99px;
        height: 0.6rem;
        overflow: hidden;
      }
      .costs .bar {
        height: 100%;
        min-width: 3px;
        border-radius: 99px;
        background: var(--tone);
      }
      .costs .label {
        display: flex;
        justify-content: space-between;
        gap: 0 1rem;
        flex-wrap: wrap;
        font-size: 0.95rem;
        margin-bottom: 0.2rem;
      }
      .pair {
        display: grid;
        gap: var(--gap);
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
        align-items: start;
      }
      .empty {
        justify-items: start;
      }
      @media (max-width: 34rem) {
        .exchange summary {
          grid-template-columns: max-content minmax(0, 1fr) max-content;
        }
        .exchange summary .verdict {
          grid-column: 2 / -1;
          grid-row: 1;
        }
        .exchange summary .quiet {
          font-size: 0.875rem;
        }
        .exchange summary .when {
          grid-column: 2;
        }
        .bytes {
          grid-template-columns: minmax(3.5rem, max-content) minmax(0, 1fr);
        }
        .bytes > :nth-child(3n) {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  protected override willUpdate(_: PropertyValues<this>): void {
    const meter = live.meter(this.meterId) ?? meterOf(this.query);
    if (!meter || meter.id === this.meterId) return;
    // A meter that got to know its serial number is still the same one.
    this.meterId = meter.id;
    this.exchanges = null;
    void this.#ask();
    void this.#reckon();
  }

  async #ask(): Promise<void> {
    const id = this.meterId;
    try {
      const exchanges = await api.exchanges(id);
      if (id !== this.meterId) return;
      // What failed last is what people come for; what comes later must not push it aside.
      const [last] = exchanges;
      if (this.exchanges === null) this.opened = last && last.verdict !== "ok" ? last.at : "";
      this.exchanges = exchanges;
      this.problem = "";
    } catch (error) {
      if (id !== this.meterId) return;
      this.problem = told(error).message;
    }
  }

  async #reckon(): Promise<void> {
    const [id, schedule] = [this.meterId, this.schedule];
    const other = (): boolean => id !== this.meterId || schedule !== this.schedule;
    try {
      const cost = await api.cost(id, schedule);
      if (other()) return;
      this.cost = cost;
      this.costProblem = "";
    } catch (error) {
      if (other()) return;
      this.cost = null;
      const { message, help } = told(error);
      this.costProblem = [message, help].filter(Boolean).join(" ");
    }
  }

  override render(): TemplateResult {
    if (!live.loaded) return skeleton(t("loading"), 2, 4, 12);
    const meter = live.meter(this.meterId);
    if (!meter) {
      return html`<div class="stack">
        <h1>${t("nav.line")}</h1>
        ${empty(
          "line",
          t("home.empty"),
          t("home.empty.text"),
          html`<a class="button main" href=${address("setup")}>${t("home.empty.action")}</a>`,
        )}
      </div>`;
    }
    return html`<div class="stack">
      <div class="row apart">
        <div class="near">
          <h1>${t("nav.line")}</h1>
          <span class="quiet mono break">${meter.port}</span>
        </div>
        <a class="button" href=${api.recording(meter.id)} download>${icon("save")}${t("line.recording")}</a>
      </div>
      <hm-picker
        .meter=${meter.id}
        @pick=${(event: CustomEvent<string>) => {
          this.meterId = "";
          this.query = new URLSearchParams({ meter: event.detail });
          note("line", { meter: event.detail });
        }}
      ></hm-picker>
      <section class="card stack" aria-labelledby="battery">
        <div class="near">
          <h2 id="battery">${t("line.battery")}</h2>
          <p class="quiet small">${t("line.battery.text")}</p>
        </div>
        <div class="pair">${this.#ledger(meter.battery)}${this.#whatIf(meter.battery)}</div>
      </section>
      <section class="card near" aria-labelledby="exchanges">
        <h2 id="exchanges">${t("line.exchanges")}</h2>
        <p class="quiet small">${t("line.exchanges.text")}</p>
        ${this.problem === "" ? nothing : html`<hm-notice kind="bad" heading=${this.problem}></hm-notice>`}
        ${this.#exchanges()}
      </section>
    </div>`;
  }

  #ledger(battery: Battery): TemplateResult {
    const most = Math.max(battery.seconds, battery.planned_seconds, battery.documented_seconds, 1e-9);
    return html`<div class="costs">
      ${
        battery.draining
          ? html`<hm-notice kind="warn" text=${t("line.draining")}></hm-notice>`
          : html`<hm-notice
              kind="good"
              text=${t(battery.mains_powered ? "line.mains" : "line.sparing")}
            ></hm-notice>`
      }
      ${cost(t("line.cost.documented"), DOCUMENTED, battery.documented_seconds, most, "past")}
      ${cost(t("line.cost.planned"), battery.planned_wake_ups, battery.planned_seconds, most, "accent")}
      ${cost(t("line.cost.last"), battery.wake_ups, battery.seconds, most, "flow")}
    </div>`;
  }

  #whatIf(now: Battery): TemplateResult {
    const most = Math.max(this.cost?.planned_seconds ?? 0, now.planned_seconds, now.documented_seconds, 1e-9);
    const times = this.cost && this.cost.planned_wake_ups / DOCUMENTED;
    return html`<div class="costs">
      <div class="field">
        <label for="schedule">${t("line.what_if")}</label>
        <select
          id="schedule"
          @change=${(event: Event) => {
            this.schedule = (event.target as HTMLSelectElement).value;
            void this.#reckon();
          }}
        >
          ${SCHEDULES.map(
            ([text]) =>
              html`<option value=${text} ?selected=${text === this.schedule}>${scheduleName(text)}</option>`,
          )}
        </select>
      </div>
      ${this.costProblem === "" ? nothing : html`<hm-notice kind="bad" text=${this.costProblem}></hm-notice>`}
      ${
        this.cost
          ? html`<div aria-live="polite" class="costs">
              ${cost(t("line.cost.documented"), DOCUMENTED, now.documented_seconds, most, "past")}
              ${cost(
                scheduleName(this.schedule),
                this.cost.planned_wake_ups,
                this.cost.planned_seconds,
                most,
                this.cost.draining ? "bad" : "accent",
              )}
              ${
                times === null
                  ? nothing
                  : html`<p class="small">${t("line.times", { times: localized(times.toFixed(1)) })}</p>`
              }
            </div>`
          : nothing
      }
    </div>`;
  }

  #exchanges(): TemplateResult {
    if (this.exchanges === null) {
      return this.problem === ""
        ? html`<div class="skeleton" role="status" aria-label=${t("loading")}></div>`
        : html``;
    }
    if (this.exchanges.length === 0) return html`<p class="quiet">${t("line.none")}</p>`;
    const today = day(live.now() / 1000);
    const one = (exchange: Exchange): TemplateResult => {
      const ok = exchange.verdict === "ok";
      const when = day(exchange.at) === today ? clockTime(exchange.at) : dateTime(exchange.at);
      return html`<details class="exchange" ?open=${exchange.at === this.opened}>
        <summary>
          <span class="number quiet when">${when}</span>
          <span class="verdict ${ok ? "ok" : "failed"}">
            ${icon(ok ? "good" : "bad", 18)}<span
              >${ok ? t("line.ok") : verdictMessage(exchange.verdict, live.meter(this.meterId)?.port ?? "")}</span
            >
          </span>
          <span class="number quiet small">
            ${exchange.attempts > 1 ? html`${t("line.attempts", { count: exchange.attempts })} · ` : nothing}${localized(
              String(Math.round(exchange.milliseconds)),
            )}
            ms
          </span>
        </summary>
        ${this.#bytes(exchange)}
      </details>`;
    };
    // Each keeps its own place on the page when others come before it.
    return html`${repeat(this.exchanges, ({ at }) => at, one)}`;
  }

  #bytes(exchange: Exchange): TemplateResult {
    return html`<div class="bytes">
      ${together(exchange.lines).map(
        (line) => html`
          <span class="number small">${line.until > line.ms ? `${line.ms}–${line.until}` : line.ms} ms</span>
          <span class="small ${line.direction}">${t(`line.${line.direction}`)}</span>
          <span>
            ${line.hex ? html`<code class="mono break">${line.hex}</code>` : nothing}
            ${line.text ? html`<span class="small quiet break">${line.text}</span>` : nothing}
          </span>
        `,
      )}
    </div>`;
  }
}

/** Bytes of a frame come less than this apart, in milliseconds: at 1200 baud one takes nine. */
const APART = 50;

/** What came byte by byte, as the frame that it is. */
function together(lines: Exchange["lines"]): (Exchange["lines"][number] & { until: number })[] {
  const all: ReturnType<typeof together> = [];
  for (const { ms, direction, hex, text } of lines) {
    const before = all.at(-1);
    if (before?.hex && hex && before.direction === direction && ms - before.until < APART) {
      before.hex += ` ${hex}`;
      before.until = ms;
    } else {
      all.push({ ms, until: ms, direction, hex: hex ?? null, text: text ?? null });
    }
  }
  return all;
}

function cost(label: string, wakeUps: number, seconds: number, most: number, colour: string): TemplateResult {
  const count = localized(String(Math.round(wakeUps)));
  return html`<div .style=${`--tone:var(--${colour})`}>
    <div class="label">
      <span>${label}</span>
      <span class="number quiet">
        ${t("line.cost", { count, seconds: localized(seconds.toFixed(seconds < 100 ? 1 : 0)) })}
      </span>
    </div>
    <div class="track" aria-hidden="true">
      <div class="bar" .style=${`width:${(seconds / most) * 100}%`}></div>
    </div>
  </div>`;
}
