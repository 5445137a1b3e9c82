// The page in eight languages.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { chromiumOfThisFile } from "./support/browser.mjs";
import { meter, standIn, verdict } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const LANGUAGES = ["en", "nl", "da", "de", "sv", "fi", "nb", "pl"];
const texts = (language) =>
  JSON.parse(readFileSync(new URL(`../../web/src/texts/${language}.json`, import.meta.url), "utf8"));

test("every language has every text, and the same to be filled in", () => {
  const english = texts("en");
  const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const language of LANGUAGES) {
    const own = texts(language);
    assert.deepEqual(Object.keys(own).sort(), Object.keys(english).sort(), language);
    for (const key of Object.keys(english)) {
      assert.deepEqual(holes(own[key]), holes(english[key]), `${language}: ${key}`);
      assert.ok(own[key].trim() !== "", `${language}: ${key} is empty`);
    }
  }
});

test("every try of the alignment has its text", () => {
  const source = readFileSync(new URL("../../crates/client/src/alignment.rs", import.meta.url), "utf8");
  const codes = [...source.matchAll(/\bstep\(\s*"(\w+)"/g)].map(([, code]) => code);
  assert.ok(codes.length > 15, String(codes));
  const known = Object.keys(texts("en")).filter((key) => key.startsWith("align.try."));
  assert.deepEqual([...new Set(codes.map((code) => `align.try.${code}`))].sort(), known.sort());
});

for (const [language, words] of Object.entries({
  nl: ["Vandaag", "geen antwoord"],
  da: ["I dag", "intet svar"],
  de: ["Heute", "keine Antwort"],
  sv: ["I dag", "inget svar"],
  fi: ["Tänään", "ei mittarin vastausta"],
  nb: ["I dag", "ikke noe svar"],
  pl: ["Dzisiaj", "odpowiedzi"],
})) {
  test(`a browser that speaks ${language} gets words and verdicts in it`, async (t) => {
    const trouble = verdict("echo_only", "The head hears only its own echo.", "Turn it half round.");
    const gateway = await standIn(t, { meters: [meter({ verdict: trouble })] });
    const page = await open(t, gateway.address, { locale: language });
    await page.getByRole("heading", { name: words[0] }).waitFor();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    const said = await alert.innerText();
    assert.ok(!said.includes("The head hears"), said);
    assert.ok(said.includes(meter().port), `names the port: ${said}`);
    assert.equal(await page.locator("html").getAttribute("lang"), language);
  });
}

test("the language can be chosen, and is kept", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, gateway.address);
  await page.getByLabel("Language").selectOption("de");
  await page.getByRole("link", { name: "Verlauf", exact: true }).waitFor();
  await page.reload();
  await page.getByRole("link", { name: "Verlauf", exact: true }).waitFor();
});
