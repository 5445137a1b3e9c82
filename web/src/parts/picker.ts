// Which meter; nothing to see where there is but one. Announces `pick`.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import { live, Watch } from "../live.js";
import { shared } from "../styles.js";
import { t } from "../text.js";

@customElement("hm-picker")
export class Picker extends LitElement {
  @property() meter = "";

  readonly watch = new Watch(this);

  static override styles = [
    shared,
    css`
      :host([hidden]) {
        display: none;
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    this.hidden = live.meters.length < 2;
    if (live.meters.length < 2) return nothing;
    return html`<div class="field">
      <label for="meter">${t("meter")}</label>
      <select
        id="meter"
        @change=${(event: Event) =>
          this.dispatchEvent(new CustomEvent("pick", { detail: (event.target as HTMLSelectElement).value }))}
      >
        ${live.meters.map(
          ({ id, name }) => html`<option value=${id} ?selected=${id === this.meter}>${name}</option>`,
        )}
      </select>
    </div>`;
  }
}
