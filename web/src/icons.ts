// Drawn for this page, on a grid of 24. They are ornaments: words stand beside them.

import { svg, type TemplateResult } from "lit";
import { html } from "lit";

const PATHS = {
  home: "M4 11.5 12 4.5l8 7M6.5 9.8V19.5h11V9.8M10 19.5v-5h4v5",
  history: "M4 19.5h16M6.5 16.5v-5M11 16.5v-9M15.5 16.5v-6.5M19.5 16.5v-11",
  align: "M12 3.5v4M12 16.5v4M3.5 12h4M16.5 12h4M12 12h.01M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z",
  line: "M3 12h4l2.5-6.5 4.5 13 2.5-6.5H21",
  setup:
    "M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M15 7.5m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0M9 16.5m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  good: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.3 12.2l2.6 2.6 4.9-5.4",
  warn: "M12 4.2 21 19.5H3zM12 10v4.2M12 16.8h.01",
  bad: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM9.2 9.2l5.6 5.6M14.8 9.2l-5.6 5.6",
  info: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 11.2v4.8M12 8.2h.01",
  wait: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z",
  sound: "M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
  mute: "M4 9.5v5h3.5L12 18V6L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  read: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.8v3.4h-3.4",
  back: "M14.5 5.5 8 12l6.5 6.5",
  forth: "M9.5 5.5 16 12l-6.5 6.5",
  nearer: "M12 5v14M5 12h14",
  further: "M5 12h14",
  save: "M12 4v10.5M7.8 10.8 12 15l4.2-4.2M5 19.5h14",
  table: "M4 5.5h16v13H4zM4 10h16M4 14.3h16M10 5.5v13",
  battery: "M4 8h14v8H4zM20.5 10.5v3M7 11v2",
  add: "M12 5v14M5 12h14",
  remove: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  plug: "M9 3.5v5M15 3.5v5M6.5 8.5h11v3a5.5 5.5 0 0 1-11 0zM12 17v3.5",
} as const;

export type Icon = keyof typeof PATHS;

export const icon = (name: Icon, size = 20): TemplateResult =>
  html`<svg
    width=${size}
    height=${size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    ${svg`<path d=${PATHS[name]}></path>`}
  </svg>`;
