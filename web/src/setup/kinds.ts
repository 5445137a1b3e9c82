// What is asked about a meter and about each kind of destination.

import { type Key, t } from "../text.js";
import { SCHEDULES } from "../schedules.js";
import type { Field } from "./fields.js";

export const meterFields = (): readonly Field[] => [
  { name: "name", label: "field.name", required: true },
  { name: "port", label: "field.port", hint: "field.port.hint", required: true },
  {
    name: "schedule",
    label: "field.schedule",
    hint: "field.schedule.hint",
    kind: "choice",
    choices: SCHEDULES.map(([text, key]) => [text, t(key)] as const),
    otherwise: SCHEDULES[0][0],
  },
  { name: "mains_powered", label: "field.mains", hint: "field.mains.hint", kind: "switch", otherwise: false },
];

export interface DestinationKind {
  readonly kind: "mqtt" | "influx" | "postgres" | "webhook";
  readonly title: Key;
  readonly text: Key;
  /** Whether there is but one. */
  readonly single: boolean;
  readonly fields: readonly Field[];
}

export const destinationKinds = (): readonly DestinationKind[] => [
  {
    kind: "mqtt",
    title: "destination.mqtt",
    text: "destination.mqtt.text",
    single: true,
    fields: [
      { name: "host", label: "field.host", required: true, placeholder: "homeassistant.local" },
      { name: "port", label: "field.tcp_port", kind: "number", otherwise: 1883 },
      { name: "user", label: "field.user" },
      { name: "password_file", label: "field.password_file", hint: "field.secret.hint" },
      {
        name: "protocol",
        label: "field.protocol",
        kind: "choice",
        choices: [
          ["5", "MQTT 5"],
          ["3", "MQTT 3.1.1"],
        ],
        otherwise: 5,
      },
      { name: "tls", label: "field.tls", kind: "switch", otherwise: false },
      { name: "discovery", label: "field.discovery", kind: "switch", otherwise: true },
    ],
  },
  {
    kind: "influx",
    title: "destination.influx",
    text: "destination.influx.text",
    single: false,
    fields: [
      { name: "url", label: "field.url", required: true, placeholder: "http://127.0.0.1:8428" },
      { name: "database", label: "field.database", hint: "field.database.hint" },
      { name: "org", label: "field.org" },
      { name: "bucket", label: "field.bucket" },
      { name: "token_file", label: "field.token_file", hint: "field.secret.hint" },
    ],
  },
  {
    kind: "postgres",
    title: "destination.postgres",
    text: "destination.postgres.text",
    single: false,
    fields: [
      { name: "url", label: "field.url", placeholder: "postgres://heatmeter@localhost/house" },
      { name: "url_file", label: "field.url_file", hint: "field.secret.hint" },
      { name: "table", label: "field.table" },
    ],
  },
  {
    kind: "webhook",
    title: "destination.webhook",
    text: "destination.webhook.text",
    single: false,
    fields: [
      { name: "url", label: "field.url", required: true, placeholder: "https://example.net/heat" },
      { name: "secret_file", label: "field.secret_file", hint: "field.signed.hint" },
    ],
  },
];
