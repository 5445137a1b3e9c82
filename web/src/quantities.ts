// What of a meter can be drawn, and how.

import { labelOf, t } from "./text.js";
import type { Meter, Reading } from "./types.js";

export interface Quantity {
  /** Names it in the page's address. */
  readonly name: string;
  readonly label: string;
  readonly kind: "amounts" | "lines";
  readonly keys: readonly string[];
  readonly colours: readonly string[];
}

const COLOURS: Record<string, string> = {
  power: "power",
  flow: "flow",
  flow_temperature: "supply",
  return_temperature: "return",
  temperature_difference: "difference",
  volume: "flow",
};

/** What people look for first. */
const ORDER = [
  "heat_energy",
  "cooling_energy",
  "volume",
  "power",
  "flow",
  "temperatures",
  "temperature_difference",
];

const TEMPERATURES = ["flow_temperature", "return_temperature"];

export function quantities(meter: Meter): Quantity[] {
  const drawn = meter.readings.filter(
    (reading): reading is Reading & { key: string } =>
      reading.key !== null && reading.value !== null && ["counter", "gauge"].includes(reading.kind),
  );
  const pair = TEMPERATURES.every((key) => drawn.some((reading) => reading.key === key));
  const found: Quantity[] = drawn
    .filter((reading) => !(pair && TEMPERATURES.includes(reading.key)))
    .map((reading) => ({
      name: reading.key,
      label: labelOf(reading),
      kind: reading.kind === "counter" ? "amounts" : "lines",
      keys: [reading.key],
      colours: [COLOURS[reading.key] ?? "accent"],
    }));
  if (pair) {
    found.push({
      name: "temperatures",
      label: t("history.temperatures"),
      kind: "lines",
      keys: TEMPERATURES,
      colours: TEMPERATURES.map((key) => COLOURS[key] ?? "accent"),
    });
  }
  const place = ({ name }: Quantity): number => {
    const index = ORDER.indexOf(name);
    return index < 0 ? ORDER.length : index;
  };
  return found.sort((a, b) => place(a) - place(b));
}
