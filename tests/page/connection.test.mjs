// What is shown is what is, or is said not to be: while the line to the gateway is cut, after it came back, and
// after the gateway was updated.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { iso, meter, now, standIn, status } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const never = () => new Promise(() => {});
/** Longer than a line that holds may say nothing. */
const SILENCE = 60_000;

/** A page whose clock the test moves, with everything on it. */
async function watched(t, gateway, view = "") {
  const page = await open(t, "about:blank");
  await page.clock.install();
  await page.goto(`${gateway.address}${view}`);
  await page.getByText("Live", { exact: true }).waitFor();
  return page;
}

test("a line that is cut without a word is noticed", async (t) => {
  const page = await watched(t, await standIn(t));
  await page.route("**/api/**", never);
  await page.clock.runFor(SILENCE);
  await page.getByText("The gateway does not answer").waitFor();
  assert.equal(await page.getByText("Live", { exact: true }).count(), 0);
});

test("after the line came back the history is asked for what was missed", async (t) => {
  const gateway = await standIn(t);
  const page = await watched(t, gateway, "#/history?by=day");
  await page.locator("hm-chart .u-over").waitFor();
  const again = page.waitForRequest("**/amounts?**");
  await page.clock.runFor(SILENCE);
  await again;
});

test("an event is not undone by an answer that was on its way before it", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, "about:blank");
  let answered;
  const held = new Promise((resolve) => (answered = resolve));
  let asked = false;
  await page.route("**/api/meters", async (route) => {
    const answer = await route.fetch();
    asked = true;
    await held;
    await route.fulfill({ response: answer });
  });
  await page.goto(gateway.address);
  await until("the question", () => asked && gateway.listeners === 1);
  const readings = meter().readings.map((reading) =>
    reading.key === "power" ? { ...reading, value: "9.9" } : reading,
  );
  gateway.tell("meter", meter({ readings }));
  // Events come in order: with the second, the first is there.
  gateway.tell("status", status({ version: "9.9.9" }));
  await page.getByText("heatmeter 9.9.9").waitFor();
  answered();
  assert.match(await page.locator("[data-key=power]").innerText(), /9\.9/);
});

test("with a new day it asks again what was used today", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, gateway.address);
  await page.getByText("Live", { exact: true }).waitFor();
  const again = page.waitForRequest("**/api/meters");
  gateway.said.status = status({ time: iso(now() + 86_400) });
  gateway.tell("status", gateway.said.status);
  await again;
});

test("values grow old also while nothing is heard of them", async (t) => {
  const gateway = await standIn(t, { meters: [meter({ stale_at: iso(now() - 60) })] });
  const page = await open(t, gateway.address);
  await page.getByText("These values are old").waitFor();
});

test("a page that nobody sees gives its connection back, and is there again at once", async (t) => {
  const gateway = await standIn(t);
  const page = await watched(t, gateway);
  const seen = (state) =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await seen("hidden");
  await page.clock.runFor(SILENCE + 1000);
  await until("nobody listens", () => gateway.listeners === 0);
  await seen("visible");
  await until("somebody listens", () => gateway.listeners === 1);
  await page.getByText("Live", { exact: true }).waitFor();
});

test("a page of another version says so, and loads the new one", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, gateway.address);
  await page.getByText("Live", { exact: true }).waitFor();
  gateway.said.status = status({ version: "9.9.9" });
  gateway.tell("status", gateway.said.status);
  await page.getByRole("button", { name: "Load the new page" }).click();
  await page.getByText("heatmeter 9.9.9").waitFor();
  assert.equal(await page.getByText("The gateway has been updated").count(), 0);
});

test("without the words of a language, or names of registers, there is a page all the same", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, "about:blank", { locale: "de-DE" });
  await page.route("**/de-*.js", (route) => route.abort());
  await page.route("**/api/catalogue*", never);
  await page.goto(gateway.address);
  await page.getByRole("heading", { name: "House" }).waitFor();
  await page.getByText("Today", { exact: true }).waitFor();
});
