// A sentence or two that somebody should read: what was seen, then what to do.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import { ApiError } from "../api.js";
import { icon } from "../icons.js";
import { shared } from "../styles.js";
import { t } from "../text.js";
import type { Told } from "../types.js";

export type Kind = "good" | "info" | "warn" | "bad";

/** What to say of a request that failed. */
export const told = (error: unknown): Told =>
  error instanceof ApiError && !error.unreachable
    ? { message: error.message, help: error.help }
    : { message: t("connection.lost.title"), help: t("connection.lost.help") };

@customElement("hm-notice")
export class Notice extends LitElement {
  @property() kind: Kind = "info";
  @property() heading = "";
  @property() text = "";

  static override styles = [
    shared,
    css`
      .notice {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 0.2rem 0.75rem;
        border-radius: var(--radius);
        padding: 0.9rem 1.1rem;
        background: var(--raised);
        border: 1px solid var(--line);
      }
      .notice > svg {
        margin-top: 0.1rem;
        color: var(--quiet);
      }
      .body {
        display: grid;
        gap: 0.4rem;
      }
      strong {
        font-weight: 650;
      }
      .good {
        background: var(--good-soft);
        border-color: transparent;
      }
      .good > svg {
        color: var(--good);
      }
      .warn {
        background: var(--warn-soft);
        border-color: transparent;
      }
      .warn > svg {
        color: var(--warn);
      }
      .bad {
        background: var(--bad-soft);
        border-color: transparent;
      }
      .bad > svg {
        color: var(--bad);
      }
      :host {
        margin-bottom: 0;
      }
    `,
  ];

  override render(): TemplateResult {
    return html`<div class="notice ${this.kind}" role=${this.kind === "bad" ? "alert" : nothing}>
      ${icon(this.kind)}
      <div class="body">
        ${this.heading === "" ? nothing : html`<strong>${this.heading}</strong>`}
        ${this.text === "" ? nothing : html`<span class="break">${this.text}</span>`}
        <slot></slot>
      </div>
    </div>`;
  }
}
