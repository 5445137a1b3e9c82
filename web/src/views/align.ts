// For a phone held beside the meter: how well the head sits, what to try next, and a sound, so that nobody
// has to look. It costs the meter's battery, says so, and ends when nobody looks any more.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { api, ApiError } from "../api.js";
import { lookAt, meterOf } from "../choice.js";
import { icon } from "../icons.js";
import { type AlignEnded, type AlignEvent, Hear, live, Watch } from "../live.js";
import { empty, skeleton } from "../parts/empty.js";
import { Sound } from "../parts/sound.js";
import { address, go } from "../route.js";
import { shared } from "../styles.js";
import { nextStep, t, verdictOf } from "../text.js";
import type { Attempt, Meter, Told } from "../types.js";

import { told } from "../parts/notice.js";
import "../parts/picker.js";

/** The gateway stops by itself when nobody asks it to go on for 20 seconds. */
const KEEP_ALIVE = 8000;
const SHOWN = 40;

@customElement("hm-align")
export class Align extends LitElement {
  @property({ attribute: false }) query = new URLSearchParams();

  @state() private meterId = "";
  @state() private running = false;
  @state() private attempts: Attempt[] = [];
  @state() private startedAt = 0;
  @state() private ended = "";
  @state() private problem: Told | null = null;
  @state() private sounding = false;

  readonly watch = new Watch(this, 1);
  readonly attempt = new Hear<AlignEvent>(this, "align", (attempt) => {
    if (!this.running || !live.same(attempt.id, this.meterId)) return;
    this.attempts = [...this.attempts.slice(1 - SHOWN), attempt];
    if (this.sounding) this.#sound.tell(attempt.verdict.code, this.#now());
  });
  readonly over = new Hear<AlignEnded>(this, "align_ended", ({ id, why }) => {
    if (this.running && live.same(id, this.meterId)) this.#end(why);
  });

  #sound = new Sound();
  #timer = 0;
  /** Counts what was started and ended: an answer that comes after the end belongs to nothing any more. */
  #turn = 0;
  #asking: Promise<boolean> | null = null;
  #lock: WakeLockSentinel | null = null;
  readonly #hidden = (): void => {
    if (document.visibilityState === "hidden" && this.running) void this.#stop("hidden");
  };
  readonly #leave = (): void => {
    if (this.running) void this.#stop("asked");
  };

  static override styles = [
    shared,
    css`
      .stage {
        width: 100%;
        height: 100%;
        max-width: none;
        max-height: none;
        margin: 0;
        border: 0;
        color: inherit;
        background: var(--page);
        display: grid;
        grid-template-rows: auto 1fr auto;
        grid-template-columns: minmax(0, 1fr);
        gap: clamp(0.5rem, 2vh, 1.25rem);
        padding: max(1rem, env(safe-area-inset-top)) clamp(1rem, 4vw, 3rem)
          max(1rem, env(safe-area-inset-bottom));
        overflow: auto;
      }
      .middle {
        display: grid;
        gap: clamp(0.6rem, 2.5vh, 1.5rem);
        align-content: center;
        justify-items: center;
        text-align: center;
        grid-template-columns: minmax(0, 1fr);
      }
      .score {
        font-size: clamp(5rem, 24vmin, 13rem);
        line-height: 0.95;
        font-weight: 700;
        letter-spacing: -0.05em;
      }
      .meter {
        width: min(100%, 46rem);
        height: clamp(2.5rem, 9vh, 5rem);
        border-radius: 99px;
        background: var(--surface);
        border: 1px solid var(--line);
        overflow: hidden;
      }
      .fill {
        height: 100%;
        border-radius: 99px;
        background: var(--tone);
        min-width: 0.5rem;
      }
      @media (prefers-reduced-motion: no-preference) {
        .fill {
          transition: width 0.25s ease-out;
        }
      }
      .verdict {
        font-size: clamp(1.15rem, 3.4vmin, 1.7rem);
        font-weight: 650;
        color: var(--tone);
      }
      .next {
        font-size: clamp(1.05rem, 3vmin, 1.45rem);
        max-width: 38rem;
        min-height: 3.2em;
      }
      .dots {
        display: flex;
        gap: 4px;
        justify-content: flex-end;
        width: min(100%, 46rem);
        overflow: hidden;
        height: 1.4rem;
        align-items: end;
      }
      .dots i {
        flex: 1 1 0;
        max-width: 0.9rem;
        border-radius: 3px;
        background: var(--tone);
        height: 25%;
      }
      .dots i.good {
        height: 100%;
      }
      .dots i.fair {
        height: 60%;
      }
      .good {
        --tone: var(--good);
      }
      .fair {
        --tone: var(--warn);
      }
      .poor {
        --tone: var(--bad);
      }
      .controls {
        display: flex;
        gap: 0.75rem;
        justify-content: center;
        flex-wrap: wrap;
      }
      .controls button {
        min-height: 3.4rem;
        padding-inline: 1.6rem;
        font-size: 1.05rem;
      }
      .begin {
        max-width: 44rem;
      }
      ol {
        margin: 0;
        padding-left: 1.3rem;
        display: grid;
        gap: 0.4rem;
      }
      .empty {
        justify-items: start;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#hidden);
    addEventListener("pagehide", this.#leave);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#hidden);
    removeEventListener("pagehide", this.#leave);
    this.#leave();
    this.#sound.close();
  }

  override render(): TemplateResult {
    if (!live.loaded) return skeleton(t("loading"), 2, 8);
    const meter = live.meter(this.meterId) ?? meterOf(this.query);
    if (!meter) {
      return html`<div class="stack">
        <h1>${t("nav.align")}</h1>
        ${empty(
          "align",
          t("home.empty"),
          t("home.empty.text"),
          html`<a class="button main" href=${address("setup")}>${t("home.empty.action")}</a>`,
        )}
      </div>`;
    }
    return this.running ? this.#stage(meter) : this.#begin(meter);
  }

  #begin(meter: Meter): TemplateResult {
    const elsewhere = meter.doing === "aligning";
    return html`<div class="stack begin">
      <h1>${t("align.title")}</h1>
      <p class="quiet">${t("align.intro")}</p>
      ${this.ended === "" ? nothing : html`<hm-notice text=${this.#why()}></hm-notice>`}
      ${
        this.problem
          ? html`<hm-notice kind="bad" heading=${this.problem.message} text=${this.problem.help}></hm-notice>`
          : nothing
      }
      <div class="card stack">
        <hm-picker
          .meter=${meter.id}
          @pick=${(event: CustomEvent<string>) => {
            lookAt(event.detail);
            this.meterId = event.detail;
          }}
        ></hm-picker>
        <h2 class="break">${meter.name}</h2>
        <ol>
          <li>${t("align.step.place")}</li>
          <li>${t("align.step.wake")}</li>
          <li>${t("align.step.move")}</li>
        </ol>
        <hm-notice kind="warn" text=${t("align.battery")}></hm-notice>
        ${"wakeLock" in navigator ? nothing : html`<hm-notice text=${t("align.dark")}></hm-notice>`}
        ${elsewhere ? html`<hm-notice text=${t("align.elsewhere")}></hm-notice>` : nothing}
        <div class="row">
          <button class="main" @click=${() => this.#start(meter)} ?disabled=${live.connection !== "live"}>
            ${icon("align")}${t("align.start")}
          </button>
        </div>
      </div>
    </div>`;
  }

  #stage(meter: Meter): TemplateResult {
    const last = this.attempts.at(-1);
    const verdict = last ? verdictOf(last.verdict, meter.port) : null;
    const seconds = Math.max(0, Math.round((Date.now() - this.startedAt) / 1000));
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return html`<dialog
      class="stage ${last ? tone(this.#now()) : ""}"
      aria-label=${t("align.title")}
      @cancel=${(event: Event) => {
        event.preventDefault();
        void this.#stop("asked");
      }}
    >
      <div class="row apart">
        <strong class="break">${meter.name}</strong>
        <span class="quiet number small"> ${t("align.spent", { time, count: last?.number ?? 0 })} </span>
      </div>
      <div class="middle">
        ${
          live.connection === "lost"
            ? html`<hm-notice kind="bad" heading=${t("connection.lost.title")}></hm-notice>`
            : nothing
        }
        <div class="near">
          <span class="score number" aria-hidden="true">${last?.score ?? "–"}</span>
          <span class="quiet">${t("align.score")}</span>
        </div>
        <div
          class="meter"
          role="meter"
          aria-label=${t("align.now")}
          aria-valuemin="0"
          aria-valuemax="100"
          aria-valuenow=${this.#now()}
        >
          <div class="fill" .style=${`width:${this.#now()}%`}></div>
        </div>
        <div class="dots" aria-hidden="true">
          ${this.attempts.map(({ verdict }) => html`<i class=${tone(worth(verdict.code))}></i>`)}
        </div>
        <p class="verdict" role="status">
          ${verdict ? (verdict.code === "ok" ? t("line.ok") : verdict.message) : t("align.first")}
        </p>
        <p class="next" aria-live="polite">${last ? nextStep(last, meter.port) : ""}</p>
        ${seconds > 300 ? html`<hm-notice kind="warn" text=${t("align.long")}></hm-notice>` : nothing}
      </div>
      <div class="controls">
        <button aria-pressed=${this.sounding} @click=${this.#toggleSound}>
          ${icon(this.sounding ? "sound" : "mute")}${t(this.sounding ? "align.sound.on" : "align.sound.off")}
        </button>
        <button class="main" @click=${() => this.#stop("asked")}>${t("align.stop")}</button>
      </div>
    </dialog>`;
  }

  /** The last few answers, from 0 to 100: it follows the hand. */
  #now(): number {
    const last = this.attempts.slice(-4);
    if (last.length === 0) return 0;
    const sum = last.reduce((sum, { verdict }) => sum + worth(verdict.code), 0);
    return Math.round(sum / last.length);
  }

  #why(): string {
    switch (this.ended) {
      case "hidden":
      case "nobody_looks":
        return t("align.ended.nobody_looks");
      case "time_is_over":
        return t("align.ended.time_is_over");
      default:
        return t("align.ended.asked");
    }
  }

  async #start(meter: Meter): Promise<void> {
    this.meterId = meter.id;
    this.attempts = [];
    this.problem = null;
    this.ended = "";
    this.startedAt = Date.now();
    this.running = true;
    const turn = (this.#turn += 1);
    await this.updateComplete;
    // Nothing behind it can be reached by the keyboard.
    const stage = this.renderRoot.querySelector("dialog");
    stage?.showModal();
    stage?.querySelector<HTMLElement>(".controls .main")?.focus();
    if (!(await this.#keepAlive()) || turn !== this.#turn) return;
    this.#timer = setInterval(() => void this.#keepAlive(), KEEP_ALIVE);
    // A phone beside the meter must not go dark. Only a secure page may ask for that.
    const lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    if (turn === this.#turn) this.#lock = lock;
    else void lock?.release();
  }

  #keepAlive(): Promise<boolean> {
    const asking = this.#ask();
    this.#asking = asking;
    return asking.finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
  }

  async #ask(): Promise<boolean> {
    const turn = this.#turn;
    try {
      await api.align(this.meterId);
      return true;
    } catch (error) {
      // While the gateway is away the next try may reach it.
      if (error instanceof ApiError && error.unreachable && this.attempts.length > 0) return true;
      if (turn !== this.#turn) return false;
      this.problem = told(error);
      this.#end("");
      return false;
    }
  }

  async #stop(why: string): Promise<void> {
    const [id, asking] = [this.meterId, this.#asking];
    this.#end(why);
    // The gateway ends by itself soon if it does not hear this.
    const stop = (): Promise<void> => api.stopAligning(id).catch(() => {});
    await stop();
    if (asking) {
      // What was still under way may have arrived after it.
      await asking;
      await stop();
    }
    if (why === "asked" && this.isConnected && this.query.has("meter")) go("home");
  }

  #end(why: string): void {
    this.#turn += 1;
    clearInterval(this.#timer);
    void this.#lock?.release();
    this.#lock = null;
    this.running = false;
    this.ended = why;
    this.#sound.quiet();
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".begin .main")?.focus());
  }

  #toggleSound(): void {
    this.sounding = !this.sounding;
    if (this.sounding) this.#sound.open();
    else this.#sound.quiet();
  }
}

const worth = (code: string): number =>
  code === "ok" ? 100 : ["crc_mismatch", "truncated", "unexpected_answer"].includes(code) ? 50 : 0;

const tone = (score: number): string => (score >= 90 ? "good" : score >= 40 ? "fair" : "poor");
