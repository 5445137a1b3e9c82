// The ports of the machine, who they are, and what answers there. Announces `use` with a port and, if it
// was tested, what answered.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { api } from "../api.js";
import { icon } from "../icons.js";
import { shared } from "../styles.js";
import { labelOf, t, verdictOf } from "../text.js";
import type { PortTest, SerialPort, Told } from "../types.js";
import { valueOf } from "../views/home.js";

import { told } from "../parts/notice.js";

export interface Use {
  readonly port: string;
  readonly test: PortTest | null;
}

type Test = PortTest | "running" | Told;

@customElement("hm-ports")
export class Ports extends LitElement {
  /** Ports that meters are configured for. */
  @property({ attribute: false }) used: string[] = [];

  @state() private ports: SerialPort[] | null = null;
  @state() private problem = "";
  @state() private tests = new Map<string, Test>();
  @state() private other = "";

  static override styles = [
    shared,
    css`
      .port {
        display: grid;
        gap: 0.75rem;
        padding: 1rem 0;
        border-bottom: 1px solid var(--line);
      }
      form.port {
        border-bottom: 0;
        padding-bottom: 0;
      }
      .found {
        background: var(--good-soft);
        border-radius: 12px;
        padding: 0.9rem 1.1rem;
        display: grid;
        gap: 0.6rem;
      }
      .values {
        display: flex;
        flex-wrap: wrap;
        gap: 0.3rem 1.5rem;
        margin: 0;
      }
      .values div {
        display: flex;
        gap: 0.5rem;
      }
      .grow {
        flex: 1 1 16rem;
      }
      .waiting {
        display: inline-flex;
        gap: 0.5rem;
        align-items: center;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#look();
  }

  async #look(): Promise<void> {
    try {
      this.ports = await api.ports();
      this.problem = "";
    } catch (error) {
      this.problem = told(error).message;
    }
  }

  override render(): TemplateResult {
    return html`<div>
      <div class="row apart">
        <p class="quiet small">${t("ports.text")}</p>
        <button class="small" @click=${() => this.#look()}>${icon("read", 18)}${t("ports.again")}</button>
      </div>
      ${this.problem === "" ? nothing : html`<hm-notice kind="bad" heading=${this.problem}></hm-notice>`}
      ${
        this.ports === null && this.problem === ""
          ? html`<div class="skeleton" role="status" aria-label=${t("loading")}></div>`
          : nothing
      }
      ${this.ports?.length === 0 ? html`<p class="port quiet">${t("ports.none")}</p>` : nothing}
      ${this.ports?.map((port) => this.#port(port))}
      <form class="port" @submit=${this.#testOther}>
        <div class="field">
          <label for="other">${t("ports.other")}</label>
          <div class="row">
            <input
              id="other"
              class="grow"
              autocomplete="off"
              spellcheck="false"
              placeholder="socket://192.168.1.20:8888"
              .value=${this.other}
              @input=${(event: Event) => (this.other = (event.target as HTMLInputElement).value.trim())}
            />
            <button ?disabled=${this.other === ""}>${t("ports.test")}</button>
          </div>
          <span class="hint">${t("ports.other.hint")}</span>
        </div>
        ${this.other === "" ? nothing : this.#outcome(this.other)}
      </form>
    </div>`;
  }

  #port(port: SerialPort): TemplateResult {
    const used = this.used.includes(port.port) || this.used.includes(port.path);
    const holder = port.holders.map(({ command }) => command).join(", ");
    return html`<div class="port">
      <div class="row apart">
        <div class="near">
          <strong class="break">${port.description ?? port.path}</strong>
          <span class="mono quiet break">${port.port}</span>
          <span class="small quiet">
            ${[
              port.usb_id ? `USB ${port.usb_id}` : null,
              port.serial,
              used ? t("ports.used") : null,
              holder === "" ? null : t("ports.held", { holder }),
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </div>
        <button
          class="small"
          ?disabled=${!port.allowed || this.tests.get(port.port) === "running"}
          @click=${() => this.#test(port.port)}
        >
          ${t("ports.test")}
        </button>
      </div>
      ${
        port.allowed
          ? nothing
          : html`<hm-notice kind="warn" heading=${t("ports.denied")} text=${port.help ?? ""}></hm-notice>`
      }
      ${this.#outcome(port.port)}
    </div>`;
  }

  #outcome(port: string): TemplateResult | typeof nothing {
    const test = this.tests.get(port);
    if (test === undefined) return nothing;
    if (test === "running") {
      return html`<p class="waiting quiet" role="status">${icon("wait")}${t("ports.testing")}</p>`;
    }
    if ("message" in test) {
      return html`<hm-notice kind="bad" heading=${test.message} text=${test.help}
        >${this.#anyway(port)}</hm-notice
      >`;
    }
    if (!test.meter || test.verdict.code !== "ok") {
      const { message, help } = verdictOf(test.verdict, port);
      return html`<hm-notice kind="bad" heading=${message} text=${help}>${this.#anyway(port)}</hm-notice>`;
    }
    const { model, manufacturer, serial } = test.meter;
    return html`<div class="found" role="status">
      <div class="row apart">
        <strong class="break">
          ${model ?? manufacturer}${serial ? ` · ${t("meter.serial", { serial })}` : nothing}
        </strong>
        <button class="main" type="button" @click=${() => this.#use(port, test)}>
          ${icon("add")}${t("ports.use")}
        </button>
      </div>
      <dl class="values">
        ${test.readings
          .filter(({ value }) => value !== null)
          .slice(0, 5)
          .map(
            (reading) =>
              html`<div>
                <dt>${labelOf(reading)}</dt>
                <dd class="number">${valueOf(reading)}</dd>
              </div>`,
          )}
      </dl>
    </div>`;
  }

  /** A meter that does not answer now may do so once its head is aligned. */
  #anyway(port: string): TemplateResult {
    return html`<div class="row">
      <button class="small" type="button" @click=${() => this.#use(port, null)}>${t("ports.anyway")}</button>
    </div>`;
  }

  #use(port: string, test: PortTest | null): void {
    this.dispatchEvent(new CustomEvent<Use>("use", { detail: { port, test } }));
  }

  #testOther(event: Event): void {
    event.preventDefault();
    if (this.other !== "") void this.#test(this.other);
  }

  async #test(port: string): Promise<void> {
    const keep = (test: Test): Map<string, Test> => new Map(this.tests).set(port, test);
    this.tests = keep("running");
    try {
      this.tests = keep(await api.testPort(port));
    } catch (error) {
      this.tests = keep(told(error));
    }
  }
}
