// Where readings go: what there is, how it is, a form for each kind, and a test that sends nothing but a
// greeting. Announces `change` with changes to the configuration.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { api } from "../api.js";
import { icon } from "../icons.js";
import { live, Watch } from "../live.js";
import { shared } from "../styles.js";
import { t } from "../text.js";
import { ago } from "../time.js";
import type { Change, ConfigValues, Settings, Told } from "../types.js";
import { changesTo } from "./draft.js";
import { entered, fieldset, fieldStyles } from "./fields.js";
import { type DestinationKind, destinationKinds } from "./kinds.js";

import { told } from "../parts/notice.js";

type Outcome = "running" | "fine" | Told;

@customElement("hm-destinations")
export class Destinations extends LitElement {
  @property({ attribute: false }) values: ConfigValues = {};

  /** `mqtt`, `influx 0`, or `influx 1` for one that does not exist yet. */
  @state() private editing = "";
  @state() private tests = new Map<string, Outcome>();

  readonly watch = new Watch(this, 15);

  static override styles = [
    shared,
    fieldStyles,
    css`
      .state {
        display: inline-flex;
        gap: 0.4rem;
        align-items: center;
        font-size: 0.9rem;
      }
      .fine {
        color: var(--good);
      }
      .trouble {
        color: var(--bad);
      }
      .kinds {
        display: grid;
        gap: 0.75rem;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
        padding-top: 1rem;
      }
      .kinds button {
        display: grid;
        justify-items: start;
        text-align: left;
        padding: 0.8rem 1rem;
        align-content: start;
        justify-content: start;
        gap: 0.15rem;
      }
      .kinds strong {
        display: flex;
        gap: 0.4rem;
        align-items: center;
      }
      .kinds svg {
        flex: none;
      }
      .kinds .quiet {
        font-weight: 400;
      }
    `,
  ];

  override render(): TemplateResult {
    const kinds = destinationKinds();
    return html`<div>
      <p class="quiet small">${t("destinations.text")}</p>
      ${kinds.map((kind) => this.#those(kind).map((settings, index) => this.#one(kind, settings, index)))}
      <div class="kinds">
        ${kinds
          .filter((kind) => !kind.single || this.#those(kind).length === 0)
          .map((kind) => {
            const name = this.#name(kind, this.#those(kind).length);
            return this.editing === name
              ? nothing
              : html`<button @click=${() => (this.editing = name)}>
                  <strong>${icon("add", 16)}<span>${t(kind.title)}</span></strong>
                  <span class="small quiet">${t(kind.text)}</span>
                </button>`;
          })}
      </div>
      ${kinds.map((kind) => {
        const index = this.#those(kind).length;
        return this.editing === this.#name(kind, index) && !(kind.single && index > 0)
          ? html`<div class="one">
              <h3>${t(kind.title)}</h3>
              ${this.#form(kind, {}, index)}
            </div>`
          : nothing;
      })}
    </div>`;
  }

  #those(kind: DestinationKind): Settings[] {
    const found = this.values[kind.kind];
    if (found === undefined) return [];
    return Array.isArray(found) ? (found as Settings[]) : [found as Settings];
  }

  #name(kind: DestinationKind, index: number): string {
    return kind.single ? kind.kind : `${kind.kind} ${index}`;
  }

  #one(kind: DestinationKind, settings: Settings, index: number): TemplateResult {
    const name = this.#name(kind, index);
    const where = String(settings["host"] ?? settings["url"] ?? settings["url_file"] ?? "");
    const of = live.status?.destinations.filter(({ kind: other }) => other === kind.kind)[index];
    return html`<div class="one">
      <div class="row apart">
        <div class="near">
          <strong>${t(kind.title)}</strong>
          <span class="mono quiet break">${where.replace(/(\/\/[^/:@]+:)[^@]+@/, "$1••••@")}</span>
          ${
            of
              ? html`<span class="state ${of.state}">
                  ${icon(of.state === "fine" ? "good" : of.state === "waiting" ? "wait" : "bad", 18)}
                  ${
                    of.delivered_at === null
                      ? t(`destination.${of.state}`)
                      : t(`destination.${of.state}.last`, { when: ago(of.delivered_at) })
                  }
                  ${of.pending > 0 ? html`<span class="quiet">· ${t("destination.pending", { count: of.pending })}</span>` : nothing}
                </span>`
              : nothing
          }
        </div>
        <div class="row">
          <button class="small" @click=${() => this.#test(name, kind, settings, index)}>
            ${t("destination.test")}
          </button>
          <button
            class="small"
            aria-expanded=${this.editing === name}
            @click=${() => (this.editing = this.editing === name ? "" : name)}
          >
            ${t("edit")}
          </button>
        </div>
      </div>
      ${
        of?.trouble
          ? html`<hm-notice kind="bad" heading=${of.trouble.message} text=${of.trouble.help}></hm-notice>`
          : nothing
      }
      ${this.editing === name ? this.#form(kind, settings, index) : this.#outcome(name)}
    </div>`;
  }

  #form(kind: DestinationKind, settings: Settings, index: number): TemplateResult {
    const name = this.#name(kind, index);
    const exists = index < this.#those(kind).length;
    const form = (event: Event): HTMLFormElement =>
      (event.currentTarget as HTMLElement).closest("form") as HTMLFormElement;
    return html`<form
      class="stack"
      @submit=${(event: Event) => {
        event.preventDefault();
        this.#change(this.#changes(kind, settings, index, entered(form(event), kind.fields, settings)));
      }}
    >
      ${fieldset(kind.fields, settings)} ${this.#outcome(name)}
      <div class="row apart">
        <div class="row">
          <button class="main">${t(exists ? "apply" : "destination.add")}</button>
          <button
            type="button"
            @click=${(event: Event) =>
              form(event).reportValidity() &&
              this.#test(name, kind, entered(form(event), kind.fields, settings), index)}
          >
            ${t("destination.test")}
          </button>
          <button type="button" class="plain" @click=${() => (this.editing = "")}>${t("cancel")}</button>
        </div>
        ${
          exists
            ? html`<button
                type="button"
                class="plain danger"
                @click=${() =>
                  this.#change([{ op: "remove", path: kind.single ? [kind.kind] : [kind.kind, index] }])}
              >
                ${icon("remove")}${t("remove")}
              </button>`
            : nothing
        }
      </div>
    </form>`;
  }

  #outcome(name: string): TemplateResult | typeof nothing {
    const outcome = this.tests.get(name);
    if (outcome === undefined) return nothing;
    if (outcome === "running") return html`<p class="quiet" role="status">${t("destination.testing")}</p>`;
    return outcome === "fine"
      ? html`<hm-notice kind="good" text=${t("destination.works")} role="status"></hm-notice>`
      : html`<hm-notice kind="bad" heading=${outcome.message} text=${outcome.help}></hm-notice>`;
  }

  #changes(kind: DestinationKind, before: Settings, index: number, after: Settings): Change[] {
    if (index < this.#those(kind).length) {
      return changesTo(kind.single ? [kind.kind] : [kind.kind, index], before, after);
    }
    return [{ op: kind.single ? "set" : "add", path: [kind.kind], value: after }];
  }

  #change(changes: Change[]): void {
    this.editing = "";
    if (changes.length > 0) this.dispatchEvent(new CustomEvent<Change[]>("change", { detail: changes }));
  }

  async #test(name: string, kind: DestinationKind, settings: Settings, index: number): Promise<void> {
    const keep = (outcome: Outcome): Map<string, Outcome> => new Map(this.tests).set(name, outcome);
    this.tests = keep("running");
    try {
      await api.testDestination(kind.kind, settings, index);
      this.tests = keep("fine");
    } catch (error) {
      this.tests = keep(told(error));
    }
  }
}
