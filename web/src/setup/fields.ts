// A form out of a list of fields: what is asked about a meter or a destination.

import { css, html, nothing, type TemplateResult } from "lit";

import { type Key, t } from "../text.js";
import type { Settings } from "../types.js";

export interface Field {
  /** Its name in the configuration. */
  readonly name: string;
  readonly label: Key;
  readonly hint?: Key;
  readonly kind?: "text" | "number" | "switch" | "choice";
  readonly choices?: readonly (readonly [value: string, label: string])[];
  readonly placeholder?: string;
  readonly required?: boolean;
  /** What holds where the configuration says nothing; such a value is not written. */
  readonly otherwise?: unknown;
}

/** For forms, and for the list of what they change. */
export const fieldStyles = css`
  .one {
    padding: 0.9rem 0;
    border-bottom: 1px solid var(--line);
    display: grid;
    gap: 0.75rem;
    grid-template-columns: minmax(0, 1fr);
  }
  .switch {
    display: flex;
    gap: 0.6rem;
    align-items: center;
    min-height: 2.75rem;
  }
`;

export function fieldset(fields: readonly Field[], values: Settings): TemplateResult {
  return html`<div class="fields">${fields.map((field) => one(field, values[field.name]))}</div>`;
}

function one(field: Field, value: unknown): TemplateResult {
  const { name, label, hint, kind = "text" } = field;
  const id = `field-${name}`;
  const described = hint === undefined ? nothing : `${id}-hint`;
  const explained = hint === undefined ? nothing : html`<span class="hint" id="${id}-hint">${t(hint)}</span>`;
  const shown = value ?? field.otherwise ?? "";
  if (kind === "switch") {
    return html`<div class="field">
      <label class="switch">
        <input type="checkbox" name=${name} .checked=${shown === true} aria-describedby=${described} />
        <span>${t(label)}</span>
      </label>
      ${explained}
    </div>`;
  }
  if (kind === "choice") {
    const choices = field.choices ?? [];
    const known = choices.some(([choice]) => choice === String(shown));
    return html`<div class="field">
      <label for=${id}>${t(label)}</label>
      <select id=${id} name=${name} aria-describedby=${described}>
        ${known ? nothing : html`<option value=${String(shown)} selected>${String(shown)}</option>`}
        ${choices.map(
          ([choice, words]) =>
            html`<option value=${choice} ?selected=${choice === String(shown)}>${words}</option>`,
        )}
      </select>
      ${explained}
    </div>`;
  }
  return html`<div class="field">
    <label for=${id}>${t(label)}</label>
    <input
      id=${id}
      name=${name}
      type=${kind === "number" ? "number" : "text"}
      placeholder=${field.placeholder ?? nothing}
      ?required=${field.required ?? false}
      aria-describedby=${described}
      autocomplete="off"
      spellcheck="false"
      .value=${String(shown)}
    />
    ${explained}
  </div>`;
}

/** What was entered; what is empty or holds anyway is left out. Settings without a field stay. */
export function entered(form: ParentNode, fields: readonly Field[], before: Settings): Settings {
  const settings: Settings = { ...before };
  for (const field of fields) {
    const input = form.querySelector<HTMLInputElement | HTMLSelectElement>(`[name="${field.name}"]`);
    if (!input) continue;
    const value = valueOf(field, input);
    const silent = value === "" || (before[field.name] === undefined && value === field.otherwise);
    if (silent) delete settings[field.name];
    else settings[field.name] = value;
  }
  return settings;
}

function valueOf(field: Field, input: HTMLInputElement | HTMLSelectElement): unknown {
  if (input instanceof HTMLInputElement && input.type === "checkbox") return input.checked;
  const text = input.value.trim();
  const number = field.kind === "number" || typeof field.otherwise === "number";
  return number && /^-?\d+$/.test(text) ? Number(text) : text;
}
