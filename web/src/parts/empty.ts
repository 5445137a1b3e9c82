// What stands where there is nothing to show yet, and the way on.

import { html, nothing, type TemplateResult } from "lit";

import { type Icon, icon } from "../icons.js";

export const empty = (
  name: Icon,
  heading: string,
  text: string,
  action: TemplateResult | typeof nothing = nothing,
): TemplateResult =>
  html`<div class="card stack empty" role="status">
    <span class="quiet">${icon(name, 32)}</span>
    <h2>${heading}</h2>
    <p class="quiet">${text}</p>
    ${action === nothing ? nothing : html`<div class="row">${action}</div>`}
  </div>`;

/** Grey shapes while the first answers are on their way. */
export const skeleton = (label: string, ...heights: number[]): TemplateResult =>
  html`<div class="card stack" role="status" aria-label=${label}>
    ${heights.map((height) => html`<div class="skeleton" .style=${`height:${height}rem`}></div>`)}
  </div>`;
