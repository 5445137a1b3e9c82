// Aligning costs the meter's battery: once it has ended, nothing goes on asking.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { standIn } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();

/** A page whose requests to go on are held back until `answer` is called. */
async function slowly(t) {
  const gateway = await standIn(t, { answers: { align: () => null } });
  const page = await open(t, "about:blank");
  await page.clock.install();
  const asked = [];
  const held = [];
  await page.route("**/align", async (route) => {
    asked.push(route.request().method());
    if (route.request().method() === "POST") await new Promise((resolve) => held.push(resolve));
    await route.continue();
  });
  await page.goto(`${gateway.address}#/align`);
  await page.getByRole("button", { name: "Start aligning" }).click();
  await until("the request to start", () => held.length === 1);
  return { page, asked, answer: () => held.splice(0).forEach((resolve) => resolve()) };
}

test("stopped before the gateway answered, it does not begin after all", async (t) => {
  const { page, asked, answer } = await slowly(t);
  await page.getByRole("button", { name: "Stop" }).click();
  await until("the request to stop", () => asked.includes("DELETE"));
  answer();
  // Whatever arrives last at the gateway, it is the end.
  await until("the end once more", () => asked.filter((method) => method === "DELETE").length === 2);
  await page.clock.runFor(60_000);
  assert.deepEqual(asked, ["POST", "DELETE", "DELETE"]);
});

test("while it goes on the gateway hears of it, and not after the view was left", async (t) => {
  const { page, asked, answer } = await slowly(t);
  const posts = () => asked.filter((method) => method === "POST").length;
  answer();
  await until("a request to go on", async () => {
    await page.clock.runFor(9000);
    answer();
    return posts() >= 2;
  });
  await page.evaluate(() => (location.hash = "#/line"));
  await page.getByRole("heading", { name: "Line" }).waitFor();
  await until("the request to stop", () => asked.includes("DELETE"));
  const before = posts();
  await page.clock.runFor(60_000);
  assert.equal(posts(), before);
});

test("it takes the keyboard to itself, and Escape ends it", async (t) => {
  const { page, asked, answer } = await slowly(t);
  answer();
  const stage = page.getByRole("dialog", { name: "Align the head" });
  await stage.waitFor();
  assert.ok(await stage.evaluate((dialog) => dialog.matches(":modal")));
  await page.keyboard.press("Escape");
  await stage.waitFor({ state: "detached" });
  await until("the request to stop", () => asked.includes("DELETE"));
  const start = page.getByRole("button", { name: "Start aligning" });
  await until("the focus on the button to start", () => start.evaluate((button) => button.matches(":focus")));
});

test("where the screen may go dark it says so before", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, "about:blank");
  await page.addInitScript(() => delete Navigator.prototype.wakeLock);
  await page.goto(`${gateway.address}#/align`);
  await page.getByText("may let the screen go dark").waitFor();
});
