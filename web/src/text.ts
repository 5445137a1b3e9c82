// The page's words. Its own stand in texts/, one file a language with the same keys in all; what meters,
// registers, verdicts and flags are called comes from the gateway's catalogue.

import { api } from "./api.js";
import en from "./texts/en.json";
import type { Catalogue, Info, Language, Reading, Verdict } from "./types.js";

export type Key = keyof typeof en;
type Texts = Record<Key, string>;

// A text that one of them lacks does not compile.
const OTHERS = {
  nl: (): Promise<{ default: Texts }> => import("./texts/nl.json"),
  da: (): Promise<{ default: Texts }> => import("./texts/da.json"),
  de: (): Promise<{ default: Texts }> => import("./texts/de.json"),
  sv: (): Promise<{ default: Texts }> => import("./texts/sv.json"),
  fi: (): Promise<{ default: Texts }> => import("./texts/fi.json"),
  nb: (): Promise<{ default: Texts }> => import("./texts/nb.json"),
  pl: (): Promise<{ default: Texts }> => import("./texts/pl.json"),
} satisfies Record<Exclude<Language, "en">, unknown>;

/** What each language calls itself. */
export const LANGUAGES: Record<Language, string> = {
  da: "Dansk",
  de: "Deutsch",
  en: "English",
  nl: "Nederlands",
  nb: "Norsk",
  pl: "Polski",
  fi: "Suomi",
  sv: "Svenska",
};

const CHOICE = "heatmeter.language";

let language: Language = "en";
let texts: Texts = en;
let catalogue: Catalogue | null = null;

export const currentLanguage = (): Language => language;

/** The language to begin with: the one chosen before, or the browser's. */
export function preferred(): Language | null {
  const wanted = [stored(), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  for (const tag of wanted) {
    const known = tag === "no" || tag === "nn" ? "nb" : tag;
    if (known !== null && known in LANGUAGES) return known as Language;
  }
  return null;
}

/** Speaks this language from now on. */
export async function speak(wanted: Language): Promise<void> {
  texts = wanted === "en" ? en : (await OTHERS[wanted]()).default;
  language = wanted;
  document.documentElement.lang = wanted;
  // Without it the words of the gateway's own language do.
  catalogue = await api.catalogue(wanted).catch(() => null);
}

export function remember(wanted: Language): void {
  try {
    localStorage.setItem(CHOICE, wanted);
  } catch {
    // A browser that keeps nothing asks again.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}

/** A text, with what is in braces filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A text whose key is put together; the last part itself where there is none. */
export function tOf(prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return key in texts ? texts[key as Key] : name;
}

export const labelOf = (reading: Pick<Reading, "key" | "label">): string =>
  (reading.key === null ? undefined : catalogue?.registers[reading.key]?.label) ?? reading.label;

/** What a verdict says. Its message may name the port; the gateway's own words then know more. */
export function verdictOf(verdict: Verdict): Verdict {
  const known = catalogue?.verdicts[verdict.code];
  return {
    code: verdict.code,
    message: known?.message ?? verdict.message,
    help: known?.help ?? verdict.help,
  };
}

export const verdictMessage = (code: string): string => catalogue?.verdicts[code]?.message ?? code;

export const infoOf = (info: Info): string => catalogue?.info?.[info.key]?.text ?? info.text;
