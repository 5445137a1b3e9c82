// What somebody chose on this browser: the meter looked at, the unit of energy.

import { ENERGY_UNITS, type EnergyUnit, isEnergyUnit } from "./decimal.js";
import { live } from "./live.js";
import type { Meter } from "./types.js";

const UNIT = "heatmeter.unit";

/** The unit of energy to show: the one chosen, or kWh, which bills and stoves speak. */
export function energyUnit(): EnergyUnit {
  try {
    const found = localStorage.getItem(UNIT);
    return isEnergyUnit(found) ? found : "kWh";
  } catch {
    return "kWh";
  }
}

export function chooseEnergyUnit(unit: EnergyUnit): void {
  try {
    localStorage.setItem(UNIT, ENERGY_UNITS.includes(unit) ? unit : "kWh");
  } catch {
    // Then it is chosen again next time.
  }
}

let looked = "";

/** The meter that the page's address names, or the one looked at before, or the first. */
export function meterOf(query: URLSearchParams): Meter | undefined {
  const named = live.meter(query.get("meter"));
  if (named) lookAt(named.id);
  return live.meter(looked) ?? live.meters[0];
}

/** Other views show this meter, too. */
export function lookAt(id: string): void {
  looked = id;
}
