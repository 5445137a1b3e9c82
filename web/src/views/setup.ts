// From a head that was plugged in to a configuration: the ports, the meters, where readings go. Nothing is
// written before somebody has seen what will be.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, query, state } from "lit/decorators.js";

import { api, ApiError } from "../api.js";
import { icon } from "../icons.js";
import { live, Watch } from "../live.js";
import { empty, skeleton } from "../parts/empty.js";
import { go } from "../route.js";
import { scheduleName, SCHEDULES } from "../schedules.js";
import { changesTo, ConfigDraft, masked } from "../setup/draft.js";
import { entered, fieldset, fieldStyles } from "../setup/fields.js";
import { meterFields } from "../setup/kinds.js";
import type { Use } from "../setup/ports.js";
import { shared } from "../styles.js";
import { t } from "../text.js";
import type { Change, Settings, Told } from "../types.js";

import { told } from "../parts/notice.js";
import "../setup/destinations.js";
import "../setup/ports.js";

/** A meter's form: which one, or a new one, and what is filled in. */
interface Editing {
  readonly index: number | null;
  readonly settings: Settings;
}

/** Changes that are not written yet outlast a look at another view. */
let kept: ConfigDraft | null = null;

@customElement("hm-setup")
export class Setup extends LitElement {
  @state() private draft: ConfigDraft | null = null;
  @state() private editing: Editing | null = null;
  @state() private problem: Told | null = null;
  /** Whether the file is another one than the changes were made to. */
  @state() private outdated = false;
  @state() private reviewing = false;
  @state() private copied = false;
  @state() private saving = false;
  @state() private saved = false;
  @state() private version = 0;

  @query("dialog") private dialog!: HTMLDialogElement;

  readonly watch = new Watch(this);

  static override styles = [
    shared,
    fieldStyles,
    css`
      .one:first-child {
        padding-top: 0;
      }
      .one:last-child {
        border-bottom: 0;
        padding-bottom: 0;
      }
      .pending {
        position: sticky;
        bottom: 1rem;
        z-index: 4;
        background: var(--surface);
        border: 2px solid var(--accent);
        border-radius: var(--radius);
        box-shadow: 0 6px 28px rgb(0 0 0 / 18%);
        padding: 0.8rem 1.1rem;
      }
      dialog {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
        color: var(--text);
        width: min(48rem, calc(100vw - 2rem));
        max-height: calc(100vh - 2rem);
        padding: clamp(1rem, 3vw, 1.75rem);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      pre {
        margin: 0;
        padding: 0.9rem 1rem;
        background: var(--raised);
        border-radius: 10px;
        overflow: auto;
        max-height: 50vh;
        line-height: 1.5;
      }
      pre span {
        display: block;
        min-height: 1.5em;
        white-space: pre;
      }
      /* Who copies the lines by hand gets those of the file. */
      pre i,
      pre .minus,
      pre .place {
        font-style: normal;
        user-select: none;
      }
      .plus {
        color: var(--good);
        background: var(--good-soft);
      }
      .minus {
        color: var(--bad);
        background: var(--bad-soft);
      }
      .empty {
        justify-items: start;
      }
      details.card {
        padding-block: 0.5rem;
      }
      details.card[open] {
        padding-bottom: clamp(1rem, 2.5vw, 1.6rem);
      }
      @media (max-width: 50rem) {
        .pending {
          bottom: 4.6rem;
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      if (!kept || kept.changes.length === 0) kept = new ConfigDraft(await api.config());
      this.draft = kept;
      this.problem = null;
    } catch (error) {
      this.problem = told(error);
    }
  }

  override render(): TemplateResult {
    if (!this.draft) {
      return this.problem
        ? html`<div class="stack">
            <h1>${t("nav.setup")}</h1>
            <hm-notice kind="bad" heading=${this.problem.message} text=${this.problem.help}>
              <div class="row"><button class="small" @click=${() => this.#load()}>${t("again")}</button></div>
            </hm-notice>
          </div>`
        : skeleton(t("loading"), 2, 6, 6);
    }
    const { draft } = this;
    const first = live.status?.configured === false && draft.meters.length === 0;
    const values = draft.values;
    return html`<div class="stack">
      <div class="near">
        <h1>${t(first ? "setup.welcome" : "nav.setup")}</h1>
        ${first ? html`<p class="quiet">${t("setup.welcome.text")}</p>` : nothing}
      </div>
      ${this.saved ? html`<hm-notice kind="good" text=${t("setup.saved")} role="status"></hm-notice>` : nothing}
      ${
        draft.config.writable
          ? nothing
          : html`<hm-notice
              kind="warn"
              heading=${t("setup.read_only")}
              text=${t("setup.read_only.text")}
            ></hm-notice>`
      }
      ${this.editing === null || this.editing.index !== null ? nothing : this.#newMeter(this.editing)}
      ${first ? nothing : this.#meters()}
      <section class="card stack" aria-labelledby="ports">
        <h2 id="ports">${t(first ? "setup.ports.first" : "setup.ports")}</h2>
        <hm-ports
          .used=${[...draft.meters.map((meter) => String(meter["port"])), ...(values.port ? [values.port] : [])]}
          @use=${(event: CustomEvent<Use>) => this.#use(event.detail)}
        ></hm-ports>
      </section>
      ${
        first
          ? nothing
          : html`<section class="card stack" aria-labelledby="destinations">
              <h2 id="destinations">${t("setup.destinations")}</h2>
              <hm-destinations
                .values=${values}
                @change=${(event: CustomEvent<Change[]>) => this.#add(event.detail)}
              ></hm-destinations>
            </section>`
      }
      <details class="card">
        <summary>${t("setup.file")}</summary>
        <p class="quiet small break">${draft.config.path ?? t("setup.file.none")}</p>
        <pre class="mono" tabindex="0" role="region" aria-label=${t("setup.file")}>
${masked(draft.config.toml)}</pre>
      </details>
      ${this.#pending()} ${this.#review()}
    </div>`;
  }

  #newMeter(editing: Editing): TemplateResult {
    return html`<section class="card stack" aria-labelledby="new">
      <h2 id="new">${t("setup.meter.new")}</h2>
      ${this.#form(editing)}
    </section>`;
  }

  #meters(): TemplateResult {
    const { draft } = this;
    if (!draft) return html``;
    const meters = this.#all();
    return html`<section class="card stack" aria-labelledby="meters">
      <h2 id="meters">${t("setup.meters")}</h2>
      ${meters.length === 0 ? empty("plug", t("home.empty"), t("setup.meters.none")) : nothing}
      <div>
        ${meters.map(
          (settings, index) =>
            html`<div class="one">
              <div class="row apart">
                <div class="near">
                  <strong class="break">${String(settings["name"] ?? settings["port"])}</strong>
                  <span class="mono quiet break">${String(settings["port"])}</span>
                  <span class="small quiet">
                    ${scheduleName(String(settings["schedule"] ?? SCHEDULES[0][0]))}
                  </span>
                </div>
                <button
                  class="small"
                  aria-expanded=${this.editing?.index === index}
                  @click=${() => (this.editing = this.editing?.index === index ? null : { index, settings })}
                >
                  ${t("edit")}
                </button>
              </div>
              ${this.editing?.index === index ? this.#form(this.editing) : nothing}
            </div>`,
        )}
      </div>
    </section>`;
  }

  /** The meters of the configuration; a lone port is one, too. */
  #all(): Settings[] {
    const { values } = this.draft as ConfigDraft;
    return values.port === undefined
      ? (values.meter ?? [])
      : [{ port: values.port }, ...(values.meter ?? [])];
  }

  #form({ index, settings }: Editing): TemplateResult {
    const fields = meterFields();
    return html`<form
      class="stack"
      @submit=${(event: Event) => {
        event.preventDefault();
        const after = entered(event.currentTarget as HTMLFormElement, fields, settings);
        void this.#add(this.#changes(index, settings, after));
      }}
    >
      ${fieldset(fields, settings)}
      <div class="row apart">
        <div class="row">
          <button class="main">${t(index === null ? "setup.meter.add" : "apply")}</button>
          <button type="button" class="plain" @click=${() => (this.editing = null)}>${t("cancel")}</button>
        </div>
        ${
          index === null
            ? nothing
            : html`<button type="button" class="plain danger" @click=${() => this.#add(this.#removal(index))}>
                ${icon("remove")}${t("remove")}
              </button>`
        }
      </div>
    </form>`;
  }

  #changes(index: number | null, before: Settings, after: Settings): Change[] {
    if (index === null) return [{ op: "add", path: ["meter"], value: after }];
    const place = this.#place(index);
    // A lone port says no more than that: with a name it becomes a meter like the others.
    return place === null
      ? [
          { op: "remove", path: ["port"] },
          { op: "add", path: ["meter"], value: after },
        ]
      : changesTo(["meter", place], before, after);
  }

  #removal(index: number): Change[] {
    const place = this.#place(index);
    return [{ op: "remove", path: place === null ? ["port"] : ["meter", place] }];
  }

  /** Where a meter of the list stands in the configuration; null is the lone port. */
  #place(index: number): number | null {
    if (this.draft?.values.port === undefined) return index;
    return index === 0 ? null : index - 1;
  }

  #pending(): TemplateResult | typeof nothing {
    if (this.problem && !this.reviewing) return html`<div class="pending">${this.#problem()}</div>`;
    const count = this.draft?.changes.length ?? 0;
    if (count === 0) return nothing;
    return html`<div class="pending row apart" role="status">
      <strong>${t("setup.pending")}</strong>
      <div class="row">
        <button class="plain" @click=${this.#discard}>${t("setup.discard")}</button>
        <button class="main" @click=${() => this.#ask()}>${t("setup.review")}</button>
      </div>
    </div>`;
  }

  #review(): TemplateResult {
    const draft = this.draft?.draft;
    const problems = draft?.problems ?? [];
    const writable = this.draft?.config.writable === true;
    return html`<dialog
      aria-labelledby="review"
      @close=${() => {
        this.reviewing = false;
        this.problem = null;
      }}
    >
      <div class="stack">
        <h2 id="review">${t("setup.review.title")}</h2>
        <p class="quiet small break">${this.draft?.config.path ?? t("setup.file.none")}</p>
        <pre class="mono" tabindex="0" role="region" aria-label=${t("setup.review.title")}>
${masked(draft?.diff ?? "")
            .split("\n")
            .map(
              (line) => html`<span class=${kindOf(line)}><i>${line.slice(0, 1)}</i>${line.slice(1)}</span>`,
            )}</pre>
        ${problems.map(
          ({ message, help, line }) =>
            html`<hm-notice
              kind="bad"
              heading=${t("setup.problem", { line, message })}
              text=${help ?? ""}
            ></hm-notice>`,
        )}
        ${this.reviewing ? this.#problem() : nothing}
        ${
          writable
            ? nothing
            : html`<hm-notice kind="warn" text=${t("setup.read_only.text")}>
                <div class="row">
                  <button class="small" @click=${this.#copy}>
                    ${icon(this.copied ? "good" : "save", 18)}${t("setup.copy")}
                  </button>
                </div>
              </hm-notice>`
        }
        <div class="row">
          <button
            class="main"
            ?disabled=${!draft || problems.length > 0 || !writable || this.outdated || this.saving}
            @click=${this.#save}
          >
            ${t("setup.write")}
          </button>
          <button @click=${() => this.dialog.close()}>${t("cancel")}</button>
        </div>
      </div>
    </dialog>`;
  }

  #problem(): TemplateResult | typeof nothing {
    if (!this.problem) return nothing;
    return html`<hm-notice kind="bad" heading=${this.problem.message} text=${this.problem.help}>
      ${
        this.outdated
          ? html`<div class="row">
              <button class="small" ?disabled=${this.saving} @click=${this.#renew}>${t("again")}</button>
            </div>`
          : nothing
      }
    </hm-notice>`;
  }

  #use({ port, test }: Use): void {
    const count = this.#all().length;
    const name = test?.meter?.model ?? t("setup.meter.name");
    this.editing = { index: null, settings: { name: count === 0 ? t("setup.meter.name") : name, port } };
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector("#new")?.scrollIntoView({ block: "start" });
      this.renderRoot.querySelector<HTMLElement>("#field-name")?.focus({ preventScroll: true });
    });
  }

  async #add(changes: Change[]): Promise<void> {
    if (!this.draft || changes.length === 0) {
      this.editing = null;
      return;
    }
    this.problem = null;
    this.saved = false;
    try {
      await this.draft.add(...changes);
    } catch (error) {
      this.problem = told(error);
      return;
    }
    this.editing = null;
    this.version += 1;
    await this.#ask();
  }

  /** Here it is seen what will be written, and asked. */
  async #ask(): Promise<void> {
    this.problem = null;
    this.copied = false;
    this.reviewing = true;
    await this.updateComplete;
    this.dialog.showModal();
  }

  /** What the changes add, for a file that somebody else writes. */
  readonly #copy = async (): Promise<void> => {
    const lines = masked(this.draft?.draft?.diff ?? "").split("\n");
    const added = lines.filter((line) => kindOf(line) === "plus").map((line) => line.slice(1));
    this.copied = await copy(`${added.join("\n").trim()}\n`, this.dialog);
  };

  readonly #discard = (): void => {
    this.draft?.discard();
    this.problem = null;
    this.outdated = false;
    this.version += 1;
  };

  readonly #renew = async (): Promise<void> => {
    this.saving = true;
    try {
      await this.draft?.renew();
      this.outdated = false;
      this.problem = null;
      // Somebody, or a try that seemed to fail, has written them already.
      if (this.draft?.draft?.diff === "") await this.#written();
    } catch (error) {
      this.problem = told(error);
    } finally {
      this.saving = false;
    }
  };

  readonly #save = async (): Promise<void> => {
    const first = live.status?.configured === false;
    this.saving = true;
    this.problem = null;
    try {
      await this.draft?.save();
    } catch (error) {
      this.outdated = error instanceof ApiError && error.status === 412;
      this.problem = this.outdated
        ? { message: t("setup.changed"), help: t("setup.changed.help") }
        : told(error);
      return;
    } finally {
      this.saving = false;
    }
    await this.#written();
    if (first) go("home");
  };

  async #written(): Promise<void> {
    this.dialog.close();
    this.draft?.discard();
    this.saved = true;
    // How the gateway is while it takes it up is told by the connection.
    await Promise.allSettled([live.reload(), this.#load()]);
  }
}

/** Puts a text on the clipboard; pages that are not secure have only the old way. */
async function copy(text: string, near: HTMLElement): Promise<boolean> {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const area = document.createElement("textarea");
  area.value = text;
  near.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

const kindOf = (line: string): string =>
  ({ "+": "plus", "-": "minus", "@": "place" })[line.slice(0, 1)] ?? "";
