// Ten years of history, which only a stand-in has at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { standIn } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const range = (page) => page.locator("hm-chart").evaluate((chart) => ({ ...chart.range }));
const DAY = 86_400;

test("wheel and buttons zoom, dragging pans, and bars change with the zoom", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, `${gateway.address}#/history?show=heat_energy`);
  await page.locator("hm-chart canvas").waitFor();
  await page.getByRole("button", { name: "Days", exact: true }).click();
  const plot = page.locator("hm-chart .u-over");
  const box = await plot.boundingBox();
  const before = await range(page);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -240);
  const nearer = await until("zoomed in", async () => {
    const shown = await range(page);
    return shown.to - shown.from < (before.to - before.from) * 0.9 && shown;
  });
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 200, box.y + box.height / 2, {
    steps: 5,
  });
  await page.mouse.up();
  await until("panned back in time", async () => (await range(page)).from < nearer.from - DAY / 4);
  const hours = page.getByRole("button", { name: "Hours", exact: true });
  for (let turn = 0; turn < 40 && (await hours.getAttribute("aria-pressed")) !== "true"; turn += 1) {
    await page.getByRole("button", { name: "Show a shorter time" }).click();
  }
  assert.equal(await hours.getAttribute("aria-pressed"), "true", "hours come by themselves");
  for (let turn = 0; turn < 40; turn += 1) {
    await page.getByRole("button", { name: "Show a longer time" }).click();
  }
  const days = page.getByRole("button", { name: "Days", exact: true });
  assert.equal(await days.getAttribute("aria-pressed"), "true", "ten years are no hours any more");
});
