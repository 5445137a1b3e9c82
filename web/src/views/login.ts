// The gateway wants its token.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import { api, ApiError } from "../api.js";
import { shared } from "../styles.js";
import { t } from "../text.js";
import type { Told } from "../types.js";

import { told } from "../parts/notice.js";

/** Announces `open` once the token was right. */
@customElement("hm-login")
export class Login extends LitElement {
  @state() private problem: Told | null = null;
  @state() private busy = false;

  static override styles = [
    shared,
    css`
      form {
        max-width: 26rem;
        margin: 12vh auto 0;
      }
      .brand {
        display: flex;
        gap: 0.75rem;
        align-items: center;
      }
    `,
  ];

  override render(): TemplateResult {
    return html`<form class="card stack" @submit=${this.#submit}>
      <div class="brand">
        <img src="icon.svg" width="40" height="40" alt="" />
        <h1>heatmeter</h1>
      </div>
      <p class="quiet">${t("login.intro")}</p>
      <div class="field">
        <label for="token">${t("login.token")}</label>
        <input id="token" type="password" autocomplete="current-password" required autofocus />
      </div>
      ${
        this.problem
          ? html`<hm-notice kind="bad" heading=${this.problem.message} text=${this.problem.help}></hm-notice>`
          : nothing
      }
      <button class="main" ?disabled=${this.busy}>${t("login.open")}</button>
    </form>`;
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const token = this.renderRoot.querySelector("input")?.value.trim() ?? "";
    this.busy = true;
    this.problem = null;
    try {
      await api.login(token);
      this.dispatchEvent(new Event("open"));
    } catch (error) {
      const wrong = error instanceof ApiError && error.status === 401;
      this.problem = wrong ? { message: t("login.wrong"), help: t("login.where") } : told(error);
    } finally {
      this.busy = false;
    }
  }
}
