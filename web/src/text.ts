// The page's words. Its own stand in texts/, one file a language with the same keys in all; what meters,
// registers, verdicts and flags are called comes from the gateway's catalogue.

import { api } from "./api.js";
import { live } from "./live.js";
import en from "./texts/en.json";
import type { Attempt, Catalogue, Info, Language, Reading, Verdict } from "./types.js";

export type Key = keyof typeof en;
type Texts = Record<Key, string>;

type Words = { default: Texts };
type Verdicts = { default: Record<string, string> };

// A text that one of them lacks does not compile. The gateway's own words are English.
const OTHERS = {
  nl: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/nl.json"), import("verdicts:nl")]),
  da: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/da.json"), import("verdicts:da")]),
  de: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/de.json"), import("verdicts:de")]),
  sv: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/sv.json"), import("verdicts:sv")]),
  fi: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/fi.json"), import("verdicts:fi")]),
  nb: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/nb.json"), import("verdicts:nb")]),
  pl: (): Promise<[Words, Verdicts]> => Promise.all([import("./texts/pl.json"), import("verdicts:pl")]),
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
let verdicts: Record<string, string> = {};
let catalogue: Catalogue | null = null;

export const currentLanguage = (): Language => language;

/** How dates and numbers are written: as the browser's region does it, if it speaks the page's language. */
export const locale = (): string =>
  navigator.languages.find((tag) => languageOf(tag) === language) ?? (language === "en" ? "en-GB" : language);

/** The language to begin with: the one chosen before, or the browser's. */
export function preferred(): Language | null {
  return languageOf(stored()) ?? navigator.languages.map(languageOf).find((known) => known !== null) ?? null;
}

/** Which of ours a tag such as `de-CH` means. */
function languageOf(tag: string | null): Language | null {
  const primary = (tag ?? "").slice(0, 2).toLowerCase();
  const known = primary === "no" || primary === "nn" ? "nb" : primary;
  return known in LANGUAGES ? (known as Language) : null;
}

/** For the names of registers the page waits no longer than this. */
const PATIENCE = 1000;

/** Speaks this language from now on. Where its words do not come, it goes on in the one before. */
export async function speak(wanted: Language): Promise<void> {
  if (wanted === "en") {
    [texts, verdicts] = [en, {}];
  } else {
    // They are those of one version of the page: after an update of the gateway there may be none.
    const found = await OTHERS[wanted]().catch(() => null);
    if (!found) return;
    const [words, said] = found;
    [texts, verdicts] = [words.default, said.default];
  }
  language = wanted;
  document.documentElement.lang = wanted;
  catalogue = null;
  // Without it the words of the gateway's own language do.
  const names = api.catalogue(wanted).then(
    (found) => {
      if (language !== wanted) return;
      catalogue = found;
      live.changed();
    },
    () => {},
  );
  await Promise.race([names, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
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

/** What a verdict says about a port, in the page's language. */
export function verdictOf({ code, message, help }: Verdict, port: string): Verdict {
  const said = (part: string): string | undefined => verdicts[`${code}.${part}`]?.replaceAll("{port}", port);
  return { code, message: said("message") ?? message, help: said("help") ?? help };
}

export const verdictMessage = (code: string, port: string): string =>
  verdictOf({ code, message: catalogue?.verdicts[code]?.message ?? code, help: "" }, port).message;

/** What to try next: one of several tries that follow each other, or what the verdict helps with. */
export function nextStep({ next_step_code: code, next_step, verdict }: Attempt, port: string): string {
  const key = `align.try.${code}`;
  if (key in texts) return t(key as Key);
  return language === "en" ? next_step : verdictOf(verdict, port).help;
}

export const infoOf = (info: Info): string => catalogue?.info[info.key] ?? info.text;
