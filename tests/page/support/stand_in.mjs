// A gateway that says what a test wants it to: for states that a real one is seldom in, and for a history
// that would take ten years. It serves the page with the gateway's own policy.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const dist = new URL("../../../web/dist/", import.meta.url).pathname;
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";

const DAY = 86_400;
export const now = () => Math.floor(Date.now() / 1000);
export const iso = (seconds) => new Date(seconds * 1000).toISOString();

const reading = (register, key, label, kind, value, unit) => ({
  register,
  key,
  label,
  kind,
  value,
  unit,
  quality: "good",
  read_at: iso(now() - 700),
});

export const verdict = (code, message = "An answer.", help = "") => ({
  code,
  message,
  help,
});

/** A meter that was read some minutes ago. */
export const meter = (others = {}) => ({
  id: "84968362",
  slot: "house",
  name: "House",
  port: "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
  manufacturer: "Kamstrup",
  model: "MULTICAL 403",
  type: "0x4c02",
  software: "G1",
  serial: "84968362",
  simulated: true,
  verdict: verdict("ok"),
  verdict_since: iso(now() - 7200),
  read_at: iso(now() - 700),
  tried_at: iso(now() - 700),
  next_read_at: iso(now() + 2900),
  stale: false,
  doing: "waiting",
  readings: [
    reading(60, "heat_energy", "Heat energy", "counter", "412.837", "GJ"),
    reading(68, "volume", "Volume", "counter", "2875.56", "m³"),
    reading(80, "power", "Power", "gauge", "7.4", "kW"),
    reading(74, "flow", "Flow", "gauge", "182", "l/h"),
    reading(86, "flow_temperature", "Flow temperature", "gauge", "64.12", "°C"),
    reading(87, "return_temperature", "Return temperature", "gauge", "38.53", "°C"),
    reading(89, "temperature_difference", "Temperature difference", "gauge", "25.59", "K"),
  ],
  info: [],
  energy: [
    {
      key: "heat_energy",
      label: "Heat energy",
      unit: "GJ",
      today: "0.152",
      today_last_year: "0.171",
      month: "2.925",
      month_last_year: "3.318",
    },
  ],
  battery: {
    wake_ups: 24,
    seconds: 28.4,
    planned_wake_ups: 24,
    planned_seconds: 28.8,
    documented_seconds: 28.8,
    draining: false,
  },
  ...others,
});

/** A gateway in order, with ten years of history. */
export const status = (others = {}) => ({
  version: "0.1.0",
  time: iso(now()),
  language: "en",
  languages: ["en", "nl", "da", "de", "sv", "fi", "nb", "pl"],
  time_zone: "Europe/Copenhagen",
  configured: true,
  demo: false,
  history: {
    state: "fine",
    message: null,
    waiting: 0,
    bytes: 1,
    polls: 1,
    since: iso(now() - 3652 * DAY),
  },
  destinations: [],
  config: { path: "/etc/heatmeter.toml", writable: true },
  ...others,
});

/** Starts it; `answers` takes the place of what it says otherwise, by the end of the path. */
export async function standIn(t, { meters = [meter()], answers = {}, ...others } = {}) {
  const listeners = new Set();
  const said = { status: status(others.status), meters };
  const defaults = {
    status: () => said.status,
    meters: () => said.meters,
    catalogue: () => ({
      language: "en",
      registers: {},
      verdicts: {},
      info: {},
      models: [],
    }),
    history: (query) => series(query),
    amounts: (query) => ({
      key: query.get("key"),
      label: "",
      unit: "GJ",
      by: query.get("by"),
      bars: bars(query),
    }),
    exchanges: () => [],
    cost: () => meter().battery,
    ports: () => [],
    config: () => ({
      toml: "",
      path: "/etc/heatmeter.toml",
      writable: true,
      etag: "1",
      values: {},
    }),
    ...answers,
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://page");
    const json = (body, code = 200) => {
      response.writeHead(code, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (url.pathname === "/api/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(": here\n\n");
      listeners.add(response);
      response.on("close", () => listeners.delete(response));
      return;
    }
    if (url.pathname.startsWith("/api/")) {
      const answer = defaults[url.pathname.split("/").at(-1)];
      if (!answer) return json({ error: { code: "not_found", message: "not here", help: "" } }, 404);
      return json(answer(url.searchParams, request));
    }
    const file = join(dist, url.pathname === "/" ? "index.html" : url.pathname);
    if (!existsSync(file)) return json({}, 404);
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "text/plain",
      "Content-Security-Policy": POLICY,
    });
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  t.after(close);
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    said,
    close,
    tell(event, data) {
      for (const listener of listeners) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

/** kW over the year and the day. */
function power(time) {
  const year = Math.cos((time / DAY / 365.25) * 2 * Math.PI - 0.35);
  const day = Math.sin((time / DAY) * 2 * Math.PI - 1);
  return Math.max(0, 4 + 3.6 * year + 1.4 * day + 0.6 * Math.sin(time / 1700));
}

function series(query) {
  const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name)) / 1000);
  const step = Math.max((to - from) / Number(query.get("points")), 600);
  const made = {
    key: query.get("key"),
    label: "",
    unit: "kW",
    from: iso(from),
    to: iso(to),
  };
  Object.assign(made, { times: [], last: [], min: [], max: [], gaps: [] });
  for (let time = from; time < Math.min(to, now()); time += step) {
    const value = power(time);
    made.times.push(Math.round(time));
    made.last.push(Number(value.toFixed(1)));
    made.min.push(Number((value * 0.9).toFixed(1)));
    made.max.push(Number((value * 1.1).toFixed(1)));
  }
  return made;
}

/** Bars in winter time all year round; close enough for pictures. */
function bars(query) {
  const by = query.get("by");
  const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name)) / 1000);
  const made = [];
  for (let start = from; start < Math.min(to, now());) {
    const date = new Date((start + 7200) * 1000);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    const end = {
      hour: start + 3600,
      day: start + DAY,
      month: Date.UTC(year, month + 1) / 1000 - 3600,
      year: Date.UTC(year + 1, 0) / 1000 - 3600,
    }[by];
    const amount = (power((start + end) / 2) * (end - start)) / 1e6;
    made.push({
      from: iso(start),
      to: iso(end),
      amount: amount.toFixed(3),
      complete: end < now(),
    });
    start = end;
  }
  return made;
}
