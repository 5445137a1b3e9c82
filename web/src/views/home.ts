// At a glance: does it work, how much heat, what is it doing now.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import { api, ApiError } from "../api.js";
import { energyUnit } from "../choice.js";
import {
  approximate,
  convert,
  energyText,
  type EnergyUnit,
  exact,
  isEnergyUnit,
  localized,
} from "../decimal.js";
import { icon } from "../icons.js";
import { Hear, live, type PollEvent, Watch } from "../live.js";
import { empty, skeleton } from "../parts/empty.js";
import type { Kind } from "../parts/notice.js";
import { address } from "../route.js";
import { shared } from "../styles.js";
import { infoOf, labelOf, t, verdictOf } from "../text.js";
import { ago, clockTime, dateTime, meterDate, until } from "../time.js";
import type { EnergyToday, Meter, Reading } from "../types.js";

import "../parts/notice.js";
import "../parts/trend.js";

/** What the meter shows and does now, in this order, and the colours of the charts. */
const NOW: readonly [key: string, colour: string][] = [
  ["heat_energy", "accent"],
  ["power", "power"],
  ["flow", "flow"],
  ["flow_temperature", "supply"],
  ["return_temperature", "return"],
  ["temperature_difference", "difference"],
];

/** So many meters are seen at once. */
const FEW = 3;

/** Verdicts that aligning the head may mend. */
const OF_THE_EYE = ["silent", "asleep", "echo_only", "echo_mangled", "noise", "crc_mismatch", "truncated"];

@customElement("hm-home")
export class Home extends LitElement {
  @state() private reading = new Set<string>();
  @state() private problems = new Map<string, string>();

  readonly watch = new Watch(this, 15);
  readonly hear = new Hear<PollEvent>(this, "poll", ({ id }) => {
    const problems = [...this.problems].filter(([other]) => !live.same(id, other));
    this.problems = new Map(problems);
  });

  static override styles = [
    shared,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem 1.5rem;
        justify-content: space-between;
        align-items: start;
      }
      .pill {
        display: inline-flex;
        gap: 0.4rem;
        align-items: center;
        border-radius: 99px;
        padding: 0.2rem 0.75rem 0.2rem 0.5rem;
        font-weight: 600;
        font-size: 0.9rem;
      }
      .pill.good {
        color: var(--good);
        background: var(--good-soft);
      }
      .pill.warn {
        color: var(--warn);
        background: var(--warn-soft);
      }
      .pill.bad {
        color: var(--bad);
        background: var(--bad-soft);
      }
      .pill.info {
        color: var(--quiet);
        background: var(--raised);
      }
      .overview {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr));
        gap: 0 2rem;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .overview li {
        display: flex;
        justify-content: space-between;
        align-items: center;
        gap: 0.5rem;
      }
      .overview button {
        text-align: left;
        justify-content: start;
        padding-inline: 0;
      }
      .overview .number {
        white-space: nowrap;
      }
      .state {
        display: inline-flex;
        flex: none;
      }
      .state.good {
        color: var(--good);
      }
      .state.warn {
        color: var(--warn);
      }
      .state.bad {
        color: var(--bad);
      }
      article {
        scroll-margin-top: 4.5rem;
      }
      .halves {
        display: grid;
        gap: var(--gap);
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
        row-gap: 1.5rem;
      }
      .big {
        font-size: clamp(2.2rem, 6vw, 3.2rem);
        line-height: 1.05;
        font-weight: 680;
        letter-spacing: -0.03em;
      }
      .unit {
        font-size: 0.45em;
        font-weight: 600;
        letter-spacing: 0;
        color: var(--quiet);
        margin-left: 0.25em;
      }
      .compare {
        display: grid;
        gap: 0.3rem;
        margin-top: 0.5rem;
      }
      .bar {
        height: 0.5rem;
        border-radius: 99px;
        background: var(--accent);
        min-width: 2px;
      }
      .bar.past {
        background: var(--past);
        opacity: 0.65;
      }
      .track {
        background: var(--raised);
        border-radius: 99px;
      }
      .values {
        display: grid;
        gap: 1rem 0.75rem;
        grid-template-columns: repeat(auto-fit, minmax(8.25rem, 1fr));
        margin: 0;
      }
      .value {
        border-left: 3px solid var(--tone);
        padding-left: 0.75rem;
      }
      .value dt {
        font-size: 0.82rem;
      }
      .value dd {
        font-size: 1.55rem;
        font-weight: 620;
        letter-spacing: -0.02em;
        line-height: 1.25;
      }
      .value .unit {
        font-size: 0.6em;
      }
      .old .big,
      .old dd {
        color: var(--quiet);
        font-weight: 500;
      }
      .old .bar {
        opacity: 0.45;
      }
      .empty {
        justify-items: start;
      }
      .info {
        display: grid;
        gap: 0.5rem;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .info li {
        display: flex;
        gap: 0.5rem;
        align-items: start;
      }
      .info svg {
        flex: none;
        margin-top: 0.15rem;
      }
      .problem svg {
        color: var(--bad);
      }
      .notice svg {
        color: var(--warn);
      }
      .fine svg {
        color: var(--good);
      }
      details {
        border-top: 1px solid var(--line);
        padding-top: 0.25rem;
      }
    `,
  ];

  override render(): TemplateResult {
    if (!live.loaded) {
      return html`<h1 class="unseen">${t("nav.home")}</h1>
        ${skeleton(t("loading"), 2, 5, 4)}`;
    }
    if (live.meters.length === 0) {
      return html`<div class="stack">
        <h1>${t("nav.home")}</h1>
        ${empty(
          "plug",
          t("home.empty"),
          t("home.empty.text"),
          html`<a class="button main" href=${address("setup")}>${t("home.empty.action")}</a>`,
        )}
      </div>`;
    }
    return html`<div class="stack">
      <h1 class="unseen">${t("nav.home")}</h1>
      ${live.status?.demo ? html`<hm-notice text=${t("home.demo")}></hm-notice>` : nothing}
      ${live.meters.length > FEW ? this.#overview() : nothing}
      ${live.meters.map((meter) => this.#meter(meter))} ${this.#destinations()}
    </div>`;
  }

  /** Which of many wants something: their cards do not fit on one screen. */
  #overview(): TemplateResult {
    return html`<section class="card" aria-label=${t("setup.meters")}>
      <ul class="overview">
        ${live.meters.map((meter) => {
          const { kind, name, text } = stateOf(meter);
          const [energy] = heroes(meter);
          const today = energy && energyText(energy.today, energy.unit, energyUnit());
          return html`<li>
            <button class="plain" @click=${() => this.#show(meter)}>
              <span class="state ${kind}">${icon(name, 20)}<span class="unseen">${text}</span></span>
              <span class="break">${meter.name}</span>
            </button>
            <span class="number quiet">${today ? `${today.value} ${today.unit}` : nothing}</span>
          </li>`;
        })}
      </ul>
    </section>`;
  }

  #show(meter: Meter): void {
    const card = this.renderRoot.querySelectorAll("article")[live.meters.indexOf(meter)];
    card?.scrollIntoView();
    card?.focus({ preventScroll: true });
  }

  #meter(meter: Meter): TemplateResult {
    const refused = this.problems.get(meter.id);
    const old = isOld(meter) || (meter.verdict !== null && meter.verdict.code !== "ok");
    return html`<article class="card stack" aria-label=${meter.name} tabindex="-1">
      <div class="head">
        <div class="near">
          <h2 class="break">${meter.name}</h2>
          <span class="quiet small break">${this.#who(meter)}</span>
        </div>
        <div class="row">
          ${this.#pill(meter)}
          <button
            class="small"
            ?disabled=${meter.doing !== "waiting" || this.reading.has(meter.id) || live.connection !== "live"}
            @click=${() => this.#read(meter)}
          >
            ${icon("read", 18)}${t(meter.doing === "reading" ? "home.reading" : "home.read")}
          </button>
        </div>
      </div>
      ${refused === undefined ? nothing : html`<hm-notice kind="bad" text=${refused}></hm-notice>`}
      ${this.#trouble(meter)}
      ${
        meter.readings.length === 0
          ? meter.verdict === null
            ? html`<p class="quiet">${t("home.first")}</p>`
            : nothing
          : html`
              ${heroes(meter).map((energy) => this.#energy(energy, meter, old))} ${this.#now(meter, old)}
              ${this.#info(meter)} ${this.#all(meter)}
            `
      }
    </article>`;
  }

  #who(meter: Meter): string {
    const known = [
      meter.model ?? (meter.readings.length > 0 ? meter.manufacturer : null),
      meter.serial === null ? null : t("meter.serial", { serial: meter.serial }),
      meter.simulated ? t("meter.simulated") : null,
    ].filter((part) => part !== null);
    return known.length > 0 ? known.join(" · ") : meter.port;
  }

  #pill(meter: Meter): TemplateResult {
    const { kind, name, text } = stateOf(meter);
    return html`<span class="pill ${kind}">${icon(name, 18)}${text}</span>`;
  }

  #trouble(meter: Meter): TemplateResult | typeof nothing {
    if (meter.verdict === null || meter.verdict.code === "ok") {
      if (!isOld(meter) || meter.read_at === null) return nothing;
      return html`<hm-notice
        kind="warn"
        heading=${t("home.stale.title")}
        text=${t("home.stale.text", { when: dateTime(meter.read_at) })}
      ></hm-notice>`;
    }
    const { message, help, code } = verdictOf(meter.verdict, meter.port);
    const since =
      meter.verdict_since === null ? "" : t("home.since", { when: dateTime(meter.verdict_since) });
    return html`<hm-notice kind="bad" heading=${message} text=${help}>
      <span class="small quiet">${code}${since === "" ? nothing : ` · ${since}`}</span>
      <div class="row">
        ${
          OF_THE_EYE.includes(code)
            ? html`<a class="button small" href=${address("align", { meter: meter.id })}>
                ${icon("align", 18)}${t("home.to.align")}
              </a>`
            : nothing
        }
        <a class="button small" href=${address("line", { meter: meter.id })}>${t("home.to.line")}</a>
      </div>
    </hm-notice>`;
  }

  #energy(energy: EnergyToday, meter: Meter, old: boolean): TemplateResult {
    const label = labelOf(energy);
    const several = heroes(meter).length > 1;
    return html`<section class="halves ${old ? "old" : ""}" aria-label=${label}>
      ${this.#amount(energy, label, several, "today")} ${this.#amount(energy, label, several, "month")}
    </section>`;
  }

  #amount(energy: EnergyToday, label: string, several: boolean, name: "today" | "month"): TemplateResult {
    const { unit, [name]: current, [`${name}_last_year` as const]: past } = energy;
    const since = energy[`${name}_since`];
    const wanted = energyUnit();
    const shown = energyText(current, unit, wanted);
    const [now, then] = [drawn(current, unit, wanted), drawn(past, unit, wanted)];
    const most = Math.max(now ?? 0, then ?? 0, 1e-9);
    const change = now !== null && then !== null && then > 0 ? Math.round((now / then - 1) * 100) : null;
    const bar = (part: number | null, kind: string): TemplateResult =>
      html`<div class="track">
        <div class="bar ${kind}" .style=${`width:${Math.max(0, ((part ?? 0) / most) * 100)}%`}></div>
      </div>`;
    return html`<div class="near">
      <h3 class="quiet">${t(`home.${name}`)}${several ? ` · ${label}` : nothing}</h3>
      <span class="big number" data-amount=${name}
        >${shown.value}<span class="unit">${shown.unit}</span></span
      >
      ${
        past === null || since
          ? html`<span class="quiet small">
              ${
                since
                  ? t("home.since", { when: dateTime(since) })
                  : t(current === null ? "amounts.not_yet" : "home.no_last_year")
              }
            </span>`
          : html`<div class="compare" aria-hidden="true">${bar(now, "")}${bar(then, "past")}</div>
              <span class="small">
                <span class="quiet">
                  ${t(`home.${name}.last_year`, { amount: `${energyText(past, unit, wanted).value} ${shown.unit}` })}
                </span>
                ${
                  change === null
                    ? nothing
                    : html`<strong class="number"
                        >${change > 0 ? "+" : ""}${localized(String(change))} %</strong
                      >`
                }
              </span>`
      }
    </div>`;
  }

  #now(meter: Meter, old: boolean): TemplateResult | typeof nothing {
    const shown = NOW.flatMap(([key, colour]) => {
      const reading = meter.readings.find((reading) => reading.key === key);
      return reading && reading.quality !== "unsupported" ? [{ reading, colour }] : [];
    });
    if (shown.length === 0) return nothing;
    return html`<section class="stack" aria-label=${t("home.now")}>
      <dl class="values ${old ? "old" : ""}">
        ${shown.map(
          ({ reading, colour }) =>
            html`<div class="value" .style=${`--tone:var(--${colour})`}>
              <dt>${labelOf(reading)}</dt>
              <dd class="number" data-key=${reading.key}>${valueOf(reading)}</dd>
            </div>`,
        )}
      </dl>
      <hm-trend .meter=${meter.id} .key=${"power"}></hm-trend>
    </section>`;
  }

  #info(meter: Meter): TemplateResult {
    const good = meter.info.length === 0;
    return html`<ul class="info" aria-label=${t("home.info")}>
      ${
        good
          ? html`<li class="fine">${icon("good")}<span>${t("home.info.none")}</span></li>`
          : meter.info.map(
              (info) =>
                html`<li class=${info.severity}>
                  ${icon(info.severity === "problem" ? "bad" : "warn")}<span>${infoOf(info)}</span>
                </li>`,
            )
      }
      ${
        meter.battery.draining
          ? html`<li class="notice">
              ${icon("battery")}<span
                >${t("home.battery")}
                <a href=${address("line", { meter: meter.id })}>${t("home.battery.more")}</a></span
              >
            </li>`
          : nothing
      }
    </ul>`;
  }

  #all(meter: Meter): TemplateResult {
    return html`<details>
      <summary>${t("home.all", { count: meter.readings.length })}</summary>
      <p class="quiet small">
        ${
          meter.next_read_at === null
            ? nothing
            : t("home.next", { when: clockTime(meter.next_read_at), until: until(meter.next_read_at) })
        }
      </p>
      <div
        class="scroll"
        tabindex="0"
        role="region"
        aria-label=${t("home.all", { count: meter.readings.length })}
      >
        <table>
          <thead>
            <tr>
              <th>${t("reading.register")}</th>
              <th class="right">${t("reading.value")}</th>
              <th>${t("reading.quality")}</th>
              <th>${t("reading.at")}</th>
            </tr>
          </thead>
          <tbody>
            ${meter.readings.map(
              (reading) =>
                html`<tr>
                  <td>${labelOf(reading)}</td>
                  <td class="right">${valueOf(reading)}</td>
                  <td>
                    ${t(`quality.${reading.quality}`)}
                    ${reading.reason ? html`<span class="quiet small">(${reading.reason})</span>` : nothing}
                  </td>
                  <td class="quiet">${dateTime(reading.read_at)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  #destinations(): TemplateResult | typeof nothing {
    const troubled = live.status?.destinations.filter(({ state }) => state === "trouble") ?? [];
    if (troubled.length === 0) return nothing;
    return html`${troubled.map(
      ({ name, pending, trouble }) =>
        html`<hm-notice
          kind="warn"
          heading=${t("home.destination", { name })}
          text=${[trouble?.message, trouble?.help].filter(Boolean).join(" ")}
        >
          <span class="small">${t("home.destination.kept", { count: pending })}</span>
        </hm-notice>`,
    )}`;
  }

  async #read(meter: Meter): Promise<void> {
    this.reading = new Set(this.reading).add(meter.id);
    this.problems.delete(meter.id);
    try {
      await api.read(meter.id);
    } catch (error) {
      // What came of the line is told by the meter's state.
      if (error instanceof ApiError && error.status !== 502) {
        const text = error.unreachable ? t("connection.lost.title") : `${error.message} ${error.help}`;
        this.problems = new Map(this.problems).set(meter.id, text);
      }
    } finally {
      const left = new Set(this.reading);
      left.delete(meter.id);
      this.reading = left;
    }
  }
}

interface State {
  readonly kind: Kind;
  readonly name: "good" | "warn" | "bad" | "wait";
  readonly text: string;
}

function stateOf(meter: Meter): State {
  const state = (kind: Kind, name: State["name"], text: string): State => ({ kind, name, text });
  const age = meter.read_at === null ? "" : ago(meter.read_at);
  if (meter.doing === "aligning") return state("info", "wait", t("home.aligning"));
  if (meter.verdict === null) return state("info", "wait", t("home.waiting"));
  if (meter.verdict.code !== "ok") {
    return state("bad", "bad", age === "" ? t("home.never") : t("home.failing", { age }));
  }
  return isOld(meter)
    ? state("warn", "warn", t("home.stale", { age }))
    : state("good", "good", t("home.good", { age }));
}

/** Whether the schedule no longer explains the age of the readings; also while nobody says so. */
const isOld = ({ stale, stale_at }: Meter): boolean =>
  stale || (stale_at != null && Date.parse(stale_at) < live.now());

/** What is compared with last year: energy; of a meter without any, what it counts. */
function heroes(meter: Meter): EnergyToday[] {
  const all = meter.energy ?? [];
  const energies = all.filter(({ unit, month }) => isEnergyUnit(unit) && month !== null);
  return energies.length > 0 ? energies : all.slice(0, 1);
}

export function valueOf(reading: Reading): TemplateResult {
  if (reading.value === null) return html`<span class="quiet">–</span>`;
  const value = reading.kind === "date" ? meterDate(reading.value) : localized(reading.value);
  return html`${value}${reading.unit ? html`<span class="unit"> ${reading.unit}</span>` : nothing}`;
}

function drawn(value: string | null, unit: string, wanted: EnergyUnit): number | null {
  const number = value === null ? null : exact(value);
  if (number === null) return null;
  return approximate(isEnergyUnit(unit) ? convert(number, unit, wanted) : number);
}
