// What all components look like.

import { css } from "lit";

export const shared = css`
  * {
    box-sizing: border-box;
  }
  :host {
    display: block;
  }
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p {
    margin: 0;
  }
  h1 {
    font-size: clamp(1.4rem, 3vw, 1.75rem);
    line-height: 1.2;
    letter-spacing: -0.015em;
    font-weight: 650;
  }
  h2 {
    font-size: 1.15rem;
    line-height: 1.3;
    letter-spacing: -0.01em;
    font-weight: 650;
  }
  h3 {
    font-size: 0.95rem;
    font-weight: 600;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.2em;
  }
  .stack {
    display: grid;
    gap: var(--gap);
    align-content: start;
    grid-template-columns: minmax(0, 1fr);
  }
  .near {
    display: grid;
    gap: 0.35rem;
    align-content: start;
    grid-template-columns: minmax(0, 1fr);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6rem 0.75rem;
    align-items: center;
  }
  .apart {
    justify-content: space-between;
  }
  .card {
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    box-shadow: var(--shadow);
    padding: clamp(1rem, 2.5vw, 1.6rem);
  }
  .quiet {
    color: var(--quiet);
  }
  .small {
    font-size: 0.875rem;
  }
  .number {
    font-variant-numeric: tabular-nums;
    font-feature-settings: "tnum";
  }
  .mono {
    font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
    font-size: 0.85rem;
  }
  .break {
    overflow-wrap: anywhere;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  button,
  .button {
    font: inherit;
    font-weight: 550;
    color: var(--text);
    background: var(--surface);
    border: 1px solid var(--edge);
    border-radius: 10px;
    min-height: 2.75rem;
    padding: 0.4rem 1rem;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    cursor: pointer;
    text-decoration: none;
  }
  button:hover:not(:disabled),
  .button:hover {
    background: var(--raised);
    border-color: var(--text);
  }
  button.main,
  .button.main {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  button.main:hover:not(:disabled),
  .button.main:hover {
    filter: brightness(1.08);
    background: var(--accent);
  }
  button.plain {
    border-color: transparent;
    background: transparent;
    padding-inline: 0.6rem;
  }
  button.danger {
    color: var(--bad);
  }
  button:disabled {
    opacity: 0.55;
    cursor: default;
  }
  button.small {
    min-height: 2.25rem;
    padding: 0.2rem 0.7rem;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }

  label {
    font-weight: 550;
    font-size: 0.9rem;
  }
  input,
  select,
  textarea {
    font: inherit;
    color: var(--text);
    background: var(--surface);
    border: 1px solid var(--edge);
    border-radius: 10px;
    min-height: 2.75rem;
    padding: 0.4rem 0.75rem;
    width: 100%;
    min-width: 0;
  }
  select {
    padding-right: 0.4rem;
  }
  input[type="checkbox"] {
    width: 1.25rem;
    min-height: 0;
    height: 1.25rem;
    accent-color: var(--accent);
    flex: none;
  }
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
    gap: 0.9rem 1rem;
    align-items: start;
  }
  .field {
    display: grid;
    gap: 0.3rem;
    align-content: start;
  }
  .hint {
    font-size: 0.85rem;
    color: var(--quiet);
  }

  .segments {
    display: inline-flex;
    border: 1px solid var(--edge);
    border-radius: 10px;
    overflow: hidden;
    background: var(--surface);
  }
  .segments button {
    border: 0;
    border-radius: 0;
    min-height: 2.6rem;
    padding-inline: 0.9rem;
  }
  .segments button + button {
    border-left: 1px solid var(--line);
  }
  .segments button[aria-pressed="true"] {
    background: var(--accent-soft);
    color: var(--accent);
  }
  .segments button:focus-visible {
    outline-offset: -3px;
  }

  .scroll {
    overflow-x: auto;
  }
  table {
    border-collapse: collapse;
    width: 100%;
    font-size: 0.925rem;
  }
  th,
  td {
    text-align: left;
    padding: 0.5rem 0.75rem 0.5rem 0;
    border-bottom: 1px solid var(--line);
    vertical-align: baseline;
  }
  th {
    font-weight: 600;
    color: var(--quiet);
    font-size: 0.85rem;
  }
  tr:last-child td {
    border-bottom: 0;
  }
  td.right,
  th.right {
    text-align: right;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }

  summary {
    cursor: pointer;
    padding: 0.5rem 0;
    font-weight: 550;
  }
  dl {
    margin: 0;
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 0.35rem 1rem;
  }
  dt {
    color: var(--quiet);
  }
  dd {
    margin: 0;
  }
  .skeleton {
    background: var(--line);
    border-radius: 8px;
    min-height: 1.2rem;
    opacity: 0.6;
  }
  @media (prefers-reduced-motion: no-preference) {
    .skeleton {
      animation: breathe 1.6s ease-in-out infinite alternate;
    }
    @keyframes breathe {
      from {
        opacity: 0.35;
      }
      to {
        opacity: 0.75;
      }
    }
  }
`;
