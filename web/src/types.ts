// What the gateway's HTTP API answers; /openapi.json is the reference. Numbers that count are decimal
// strings, exactly as the meter sent them.

export type Language = "en" | "nl" | "da" | "de" | "sv" | "fi" | "nb" | "pl";

export interface Status {
  version: string;
  time: string;
  language: Language;
  time_zone: string;
  configured: boolean;
  demo: boolean;
  token: boolean;
  history: {
    state: "fine" | "disk_full" | "failing";
    message: string | null;
    waiting: number;
    bytes: number;
    polls: number;
    since?: string | null;
    salvaged?: { polls: number; kept: string } | null;
  };
  destinations: Destination[];
  config: { path: string | null; writable: boolean; trouble?: Told | null };
}

/** What was seen, and what to do. */
export interface Told {
  readonly message: string;
  readonly help: string;
}

export interface Destination {
  name: string;
  kind: string;
  state: "fine" | "waiting" | "trouble";
  pending: number;
  delivered: number;
  delivered_at: string | null;
  trouble: Told | null;
}

export interface Verdict {
  code: string;
  message: string;
  help: string;
}

export interface Reading {
  register: number;
  key: string | null;
  label: string;
  kind: string;
  value: string | null;
  unit: string | null;
  quality: "good" | "unsupported" | "invalid" | "held" | "unanswered";
  reason?: string | null;
  read_at: string;
}

export interface Info {
  key: string;
  text: string;
  severity: string;
}

export interface EnergyToday {
  key: string;
  label: string;
  unit: string;
  today: string | null;
  /** Where the readings do not reach back to midnight, or the first of the month: since when. */
  today_since?: string | null;
  today_last_year: string | null;
  month: string | null;
  month_since?: string | null;
  month_last_year: string | null;
}

export interface Battery {
  wake_ups: number;
  seconds: number;
  planned_wake_ups: number;
  planned_seconds: number;
  documented_seconds: number;
  draining: boolean;
  mains_powered: boolean;
}

export interface Meter {
  id: string;
  slot: string;
  name: string;
  port: string;
  manufacturer: string;
  model: string | null;
  type: string | null;
  software: string | null;
  serial: string | null;
  simulated: boolean;
  verdict: Verdict | null;
  verdict_since: string | null;
  read_at: string | null;
  tried_at: string | null;
  next_read_at: string | null;
  stale: boolean;
  /** When they will be, unless new ones come. */
  stale_at?: string | null;
  doing: "waiting" | "reading" | "aligning";
  readings: Reading[];
  info: Info[];
  energy?: EnergyToday[];
  battery: Battery;
}

export interface Series {
  key: string;
  label: string;
  unit: string | null;
  from: string;
  to: string;
  times: number[];
  last: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  gaps: Gap[];
}

export interface Gap {
  from: string;
  to: string;
  verdict: string | null;
}

export type By = "hour" | "day" | "month" | "year";

export interface Amounts {
  key: string;
  label: string;
  unit: string | null;
  by: By;
  bars: Bar[];
}

export interface Bar {
  from: string;
  to: string;
  amount: string | null;
  complete: boolean;
}

export interface Attempt {
  id: string;
  number: number;
  verdict: Verdict;
  score: number;
  next_step: string;
  next_step_code: string | null;
  milliseconds: number;
}

export interface Exchange {
  at: string;
  verdict: string;
  milliseconds: number;
  attempts: number;
  lines: { ms: number; direction: "to" | "from" | "note"; hex?: string | null; text?: string | null }[];
}

export interface SerialPort {
  port: string;
  path: string;
  by_id: string | null;
  description: string | null;
  usb_id: string | null;
  serial: string | null;
  holders: { pid: number; command: string }[];
  allowed: boolean;
  help: string | null;
}

export interface PortTest {
  meter: {
    manufacturer: string;
    model: string | null;
    type: string | null;
    software: string | null;
    serial: string | null;
  } | null;
  verdict: Verdict;
  readings: Reading[];
}

export interface Config {
  toml: string;
  path: string | null;
  writable: boolean;
  etag: string;
  /** Missing in a gateway that cannot read its file. */
  values?: ConfigValues;
}

/** The configuration as values; secrets are masked. */
export interface ConfigValues {
  port?: string;
  language?: string;
  time_zone?: string;
  meter?: Settings[];
  mqtt?: Settings;
  influx?: Settings[];
  postgres?: Settings[];
  webhook?: Settings[];
  [key: string]: unknown;
}

export type Settings = Record<string, unknown>;

export interface Change {
  op: "set" | "add" | "remove";
  path: (string | number)[];
  value?: unknown;
}

export interface Problem {
  line: number;
  column: number;
  message: string;
  help?: string | null;
  rendered?: string | null;
}

export interface Draft {
  toml: string;
  diff: string;
  problems: Problem[];
}

export interface Catalogue {
  language: Language;
  registers: Record<string, { label: string; unit_kind?: string; tier?: string }>;
  verdicts: Record<string, { message: string; help: string }>;
  info: Record<string, string>;
  models: unknown[];
}
