// Somebody with several meters always sees the one they chose.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, PHONE, until } from "./support/browser.mjs";
import { iso, meter, now, standIn, verdict } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const other = meter({ id: "2", slot: "shed", serial: "2", name: "Shed", port: "/dev/shed" });
const exchange = (at, verdict, hex) => ({
  at,
  verdict,
  milliseconds: 845,
  attempts: 1,
  lines: [{ ms: 0, direction: "to", hex, text: null }],
});

test("the meter that was chosen in one view is shown in the others", async (t) => {
  const gateway = await standIn(t, { meters: [meter(), other] });
  const page = await open(t, `${gateway.address}#/history`);
  await page.getByLabel("Meter", { exact: true }).selectOption("Shed");
  for (const view of ["Line", "Align", "History"]) {
    await page.getByRole("link", { name: view, exact: true }).click();
    await until(`the shed in ${view}`, async () =>
      page
        .getByLabel("Meter", { exact: true })
        .evaluate((select) => select.selectedOptions[0].textContent.trim() === "Shed"),
    );
  }
});

test("an answer about another meter or schedule that comes late is not taken", async (t) => {
  const gateway = await standIn(t, { meters: [meter(), other] });
  const page = await open(t, "about:blank");
  const held = [];
  await page.route("**/exchanges", async (route) => {
    const shed = route.request().url().includes("/2/");
    if (!shed) await new Promise((resolve) => held.push(resolve));
    await route.fulfill({ json: [exchange(iso(now()), "ok", shed ? "aa aa" : "bb bb")] });
  });
  await page.route("**/cost?**", async (route) => {
    const daily = route.request().url().includes("daily");
    if (!daily) await new Promise((resolve) => held.push(resolve));
    await route.fulfill({ json: { ...meter().battery, planned_wake_ups: daily ? 1 : 96 } });
  });
  await page.goto(`${gateway.address}#/line`);
  await until("both questions", () => held.length === 2);
  await page.getByLabel("Meter", { exact: true }).selectOption("Shed");
  await page.getByLabel("What would another schedule cost?").selectOption("daily at 23:55");
  await page.getByText("aa aa").waitFor({ state: "attached" });
  await page
    .getByText(/\b1 readings? ·/)
    .first()
    .waitFor();
  const late = page.waitForResponse((response) => response.url().includes("/84968362/exchanges"));
  held.splice(0).forEach((resolve) => resolve());
  await late;
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  assert.equal(await page.getByText("bb bb").count(), 0);
  assert.equal(await page.getByText(/\b96 readings ·/).count(), 0);
});

test("why a meter cannot be read now is said, until it is read", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, gateway.address);
  const error = { code: "no_line", message: "Nobody works at this line.", help: "Try again." };
  await page.route("**/read", (route) => route.fulfill({ status: 503, json: { error } }));
  await page.getByRole("button", { name: "Read now" }).click();
  await page.getByText("Nobody works at this line. Try again.").waitFor();
  gateway.tell("poll", { id: meter().id, time: iso(now()), verdict: "ok" });
  await page.getByText("Nobody works at this line. Try again.").waitFor({ state: "detached" });
});

test("of many meters it is seen at once which one wants something, and its card is near", async (t) => {
  const many = Array.from({ length: 8 }, (_, number) => {
    const id = String(number);
    const trouble = number === 6 ? { verdict: verdict("silent", "It says nothing.", "Look.") } : {};
    return meter({ id, slot: id, serial: id, name: `Flat ${number}`, ...trouble });
  });
  const gateway = await standIn(t, { meters: many });
  const page = await open(t, gateway.address, { viewport: PHONE });
  const overview = page.getByRole("region", { name: "Meters" });
  await overview.getByRole("button", { name: "Not read; last 12 minutes ago Flat 6" }).click();
  const card = page.getByRole("article", { name: "Flat 6" });
  await until("the card", () => card.evaluate((article) => article.matches(":focus")));
  const { y } = await card.boundingBox();
  assert.ok(y >= 0 && y < PHONE.height / 2, `${y}`);
});

test("a meter without history does not hide that of the others", async (t) => {
  const silent = meter({ id: "0", slot: "attic", serial: null, name: "Attic", readings: [], energy: [] });
  const gateway = await standIn(t, { meters: [silent, meter()] });
  const page = await open(t, `${gateway.address}#/history`);
  await page.getByText("No history yet").waitFor();
  await page.getByLabel("Meter", { exact: true }).selectOption("House");
  await page.locator("hm-chart .u-over").waitFor();
});
