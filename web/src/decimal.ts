// Exact decimals and the units of energy: a value is converted as a fraction of whole numbers and rounded
// once, when it is shown.

import { locale } from "./text.js";

/** A number without an error: numerator over denominator. */
export interface Exact {
  readonly over: bigint;
  readonly under: bigint;
  /** How many decimals it was written with. */
  readonly decimals: number;
}

export type EnergyUnit = "GJ" | "kWh" | "MWh";
export const ENERGY_UNITS: readonly EnergyUnit[] = ["GJ", "kWh", "MWh"];

/** In kilojoules, where every one of them is whole. */
const KILOJOULES: Record<EnergyUnit, bigint> = { GJ: 1_000_000n, kWh: 3600n, MWh: 3_600_000n };

/** How many decimals a unit of energy is worth in the end. */
const ENERGY_DECIMALS: Record<EnergyUnit, number> = { GJ: 3, kWh: 1, MWh: 3 };

export function exact(text: string): Exact | null {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return null;
  const [, sign, whole = "", fraction = ""] = match;
  const over = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  return { over, under: 10n ** BigInt(fraction.length), decimals: fraction.length };
}

export const isEnergyUnit = (unit: string | null): unit is EnergyUnit =>
  unit !== null && (ENERGY_UNITS as readonly string[]).includes(unit);

/** The same energy in another unit. */
export function convert(value: Exact, from: EnergyUnit, to: EnergyUnit): Exact {
  if (from === to) return value;
  return {
    over: value.over * KILOJOULES[from],
    under: value.under * KILOJOULES[to],
    decimals: ENERGY_DECIMALS[to],
  };
}

/** Written with so many decimals; half a unit rounds away from zero. */
export function written(value: Exact, decimals = value.decimals): string {
  const scaled = value.over * 10n ** BigInt(decimals);
  const [size, under] = [scaled < 0n ? -scaled : scaled, value.under];
  const rounded = (size * 2n + under) / (under * 2n);
  const digits = rounded.toString().padStart(decimals + 1, "0");
  const sign = value.over < 0n && rounded !== 0n ? "-" : "";
  const whole = digits.slice(0, digits.length - decimals);
  return decimals === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-decimals)}`;
}

/** How many decimals numbers of a kind are written with: they themselves keep no zeros at their end. */
export const decimalsOf = (values: readonly (number | null)[]): number =>
  values.reduce<number>((most, value) => Math.max(most, String(value ?? 0).split(".")[1]?.length ?? 0), 0);

/** For drawing only. */
export const approximate = (value: Exact): number => Number(value.over) / Number(value.under);

/** A decimal as people write it here: all its digits, their separators. */
export function localized(decimal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal);
  if (!match) return decimal;
  const [, sign = "", whole = "", fraction] = match;
  const { group, point } = separators(locale());
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, group) : whole;
  return `${sign === "" ? "" : "\u2212"}${grouped}${fraction === undefined ? "" : point + fraction}`;
}

const known = new Map<string, { group: string; point: string }>();

function separators(locale: string): { group: string; point: string } {
  let found = known.get(locale);
  if (!found) {
    const parts = new Intl.NumberFormat(locale).formatToParts(1_234_567.8);
    const of = (type: string, otherwise: string): string =>
      parts.find((part) => part.type === type)?.value ?? otherwise;
    // A thin space groups best, and a full stop is not taken for a decimal point.
    const group = of("group", "\u202f");
    found = { group: group === "." || group === "," ? group : "\u202f", point: of("decimal", ".") };
    known.set(locale, found);
  }
  return found;
}

/** An amount of energy in the unit people chose; anything else as it is. */
export function energyText(
  value: string | null,
  unit: string | null,
  wanted: EnergyUnit,
): { value: string; unit: string } {
  const number = value === null ? null : exact(value);
  if (number === null) return { value: "–", unit: isEnergyUnit(unit) ? wanted : (unit ?? "") };
  if (!isEnergyUnit(unit)) return { value: localized(value as string), unit: unit ?? "" };
  const converted = convert(number, unit, wanted);
  return { value: localized(written(converted)), unit: wanted };
}
