// A history that the program keeps: the demonstration's thirteen months, with gaps in them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { chromiumOfThisFile, PHONE, until } from "./support/browser.mjs";
import { demoOfThisFile } from "./support/gateway.mjs";

const open = chromiumOfThisFile();
const DAY = 86_400;

const service = demoOfThisFile();

async function history(t, query, options) {
  const page = await open(t, `${service.address}#/history?${query}`, options);
  await page.locator("hm-chart canvas").waitFor();
  await loaded(page);
  return page;
}

const headline = (page) => page.locator("hm-history .sum").innerText();
const loaded = (page) =>
  until("all is loaded", async () => (await page.locator("hm-history").getByText("Loading").count()) === 0);
const range = (page) => page.locator("hm-chart").evaluate((chart) => ({ ...chart.range }));
const picture = (page, evaluate) => page.locator("hm-chart").evaluate(evaluate);
const bars = (page) => picture(page, ({ picture }) => picture.bars);

test("a year of months is what its days and hours add up to", async (t) => {
  const page = await history(t, "show=heat_energy&by=month");
  await page.getByRole("button", { name: "GJ", exact: true }).click();
  const amountOf = (all, from, to) =>
    all.times.reduce(
      (sum, time, index) => (time >= from && time < to ? sum + (all.amounts[index] ?? 0) : sum),
      0,
    );
  const months = await until("months", async () => {
    const found = await bars(page);
    return found.times.length >= 13 && found;
  });
  // A whole month in the middle.
  const [from, to] = [months.times.at(-4), months.times.at(-3)];
  const amount = months.amounts.at(-4);
  assert.ok(amount > 0);
  await page.getByRole("button", { name: "Days", exact: true }).click();
  await loaded(page);
  assert.ok(Math.abs(amountOf(await bars(page), from, to) - amount) < 1e-6);
});

test("bars are hours, days, months or years, in the unit that was chosen", async (t) => {
  const page = await history(t, "show=heat_energy");
  await until("a sum", async () => /kWh$/.test(await headline(page)));
  for (const [name, days] of Object.entries({
    Hours: 2,
    Days: 31,
    Months: 365,
    Years: 396,
  })) {
    await page.getByRole("button", { name, exact: true }).click();
    const { from, to } = await until("another range", async () => {
      const shown = await range(page);
      return Math.abs(shown.to - shown.from - days * DAY) < 400 * DAY && shown;
    });
    assert.ok(to > from);
  }
  await page.getByRole("button", { name: "GJ", exact: true }).click();
  await until("GJ", async () => /GJ$/.test(await headline(page)));
  const gigajoules = Number((await headline(page)).replace(/[^\d.]/g, ""));
  await page.getByRole("button", { name: "MWh", exact: true }).click();
  await until("MWh", async () => /MWh$/.test(await headline(page)));
  const megawatthours = Number((await headline(page)).replace(/[^\d.]/g, ""));
  assert.ok(Math.abs(gigajoules / 3.6 - megawatthours) < 0.001, `${gigajoules} GJ, ${megawatthours} MWh`);
});

test("what was fetched is not fetched again", async (t) => {
  const page = await history(t, "show=power");
  const asked = [];
  page.on("request", (request) => request.url().includes("/history?") && asked.push(request.url()));
  for (const name of ["Year", "Month", "All", "Week", "Year", "Month", "All", "Week"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await loaded(page);
  }
  assert.equal(new Set(asked).size, asked.length);
});

test("wheel, drag, keys and buttons move through what is stored, down to single readings", async (t) => {
  const page = await history(t, "show=power");
  await page.getByRole("button", { name: "Year", exact: true }).click();
  await loaded(page);
  const whole = await range(page);
  assert.ok(whole.to - whole.from > 360 * DAY);
  const plot = await page.locator("hm-chart .u-over").boundingBox();
  const [x, y] = [plot.x + plot.width - 4, plot.y + plot.height / 2];
  await page.mouse.move(x, y);
  const near = await until("zoomed in", async () => {
    await page.mouse.wheel(0, -240);
    const shown = await range(page);
    return shown.to - shown.from < 30 * DAY && shown;
  });
  await loaded(page);
  const spacing = await picture(page, ({ picture, range }) => {
    const times = picture.lines[0].times.filter((time) => time > range.to - 86_400);
    return Math.min(...times.slice(1).map((time, index) => time - times[index]));
  });
  assert.ok(spacing <= 3600, `readings are ${spacing} s apart`);
  await page.mouse.down();
  await page.mouse.move(plot.x + 4, y, { steps: 4 });
  await page.mouse.up();
  const left = await page
    .getByRole("application")
    .press("Home")
    .then(() =>
      until("at the end", async () => {
        const shown = await range(page);
        // Dragging to the right shows what was before.
        return shown.from < near.from && shown;
      }),
    );
  await page.getByRole("button", { name: "Show a longer time" }).click();
  await until("zoomed out", async () => {
    const shown = await range(page);
    return shown.to - shown.from > (left.to - left.from) * 1.5;
  });
});

test("times in which nothing was read are gaps that say why", async (t) => {
  const page = await history(t, "show=power");
  await page.getByRole("button", { name: "All", exact: true }).click();
  await loaded(page);
  const gaps = await picture(page, ({ picture }) => picture.gaps);
  assert.ok(gaps.length > 0 && gaps.every(({ verdict }) => verdict), JSON.stringify(gaps));
  await page.getByText("No readings").waitFor();
});

test("values keep the decimals that the meter sends", async (t) => {
  const page = await history(t, "show=temperatures");
  await page.getByRole("button", { name: "Day", exact: true }).click();
  await loaded(page);
  assert.match(await page.locator("hm-history .sum").innerText(), /^\d+\.\d\d °C · \d+\.\d\d °C$/);
  await page.getByRole("button", { name: "Table" }).click();
  const cells = await page.locator("hm-history td.right").allInnerTexts();
  assert.ok(cells.length > 100);
  assert.deepEqual(
    cells.filter((cell) => !/^\d+\.\d\d$/.test(cell)),
    [],
  );
});

test("the file holds exactly what the table shows", async (t) => {
  const page = await history(t, "show=heat_energy&by=day");
  await page.getByRole("button", { name: "Table" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).click(),
  ]);
  const [head, ...rows] = readFileSync(await download.path(), "utf8")
    .trim()
    .split("\n");
  assert.equal(head, "time,Heat energy (kWh),Note");
  const cells = await page.locator("hm-history td.right:nth-child(2)").allInnerTexts();
  assert.ok(rows.length >= 28, `${rows.length} days`);
  // Today goes on growing.
  assert.deepEqual(
    rows.slice(0, -1).map((row) => row.split(",")[1]),
    cells.slice(0, -1).map((cell) => cell.replace("\u2009", "")),
  );
  assert.match(rows[0], /^\d{4}-\d\d-\d\dT00:00:00[+-]\d\d:\d\d,\d+\.\d,/);
});

test("home compares this month with last year's, and is whole on a phone", async (t) => {
  const page = await open(t, service.address, { viewport: PHONE });
  await page.getByText("This is a demonstration").waitFor();
  await page.getByText(/kWh in the same days of last year/).waitFor();
  await page.locator("hm-trend svg").waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width);
});
