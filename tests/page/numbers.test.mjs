// The numbers of the page are those of the time they are said to be of.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { iso, meter, now, standIn } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const DAY = 86_400;
const ZONE = "Europe/Copenhagen";
const dated = (seconds, options) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, ...options }).format(new Date(seconds * 1000));

test("a bar is pointed at where it stands, to its right end", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, `${gateway.address}#/history?by=day`);
  const plot = page.locator("hm-chart .u-over");
  await plot.waitFor();
  const caption = page.locator("hm-history .over .near");
  const yesterday = dated(now() - DAY, { weekday: "short", day: "numeric", month: "short" });
  const { x, y, width, height } = await plot.boundingBox();
  for (const place of [0.1, 0.5, 0.9]) {
    // 31 bars are shown, today's is the last.
    const bar = width / 31;
    await page.mouse.move(x + width - 2 * bar + place * bar, y + height / 2);
    await until(`yesterday at ${place} of its bar`, async () =>
      (await caption.innerText()).replaceAll(",", "").startsWith(yesterday.replaceAll(",", "")),
    );
  }
});

test("a range of days ends today, of months with this month, of years with this year", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, `${gateway.address}#/history?by=day`);
  const caption = page.locator("hm-history .over .near > span").first();
  const ends = (what) => until(what, async () => (await caption.innerText()).endsWith(`– ${what}`));
  await ends(dated(now(), { dateStyle: "medium" }));
  await page.getByRole("button", { name: "Months" }).click();
  await ends(dated(now(), { month: "long", year: "numeric" }));
  await page.getByRole("button", { name: "Years" }).click();
  await ends(dated(now(), { year: "numeric" }));
});

test("the last day's power has a hole where nothing was read", async (t) => {
  const times = [22, 21, 20, 12, 4, 3, 2].map((hours) => now() - hours * 3600);
  const last = [1.5, 1.6, 1.5, null, 1.7, 1.5, 1.6];
  const series = { key: "power", label: "", unit: "kW", times, last, min: last, max: last, gaps: [] };
  const answers = { history: () => ({ ...series, from: iso(now() - DAY), to: iso(now()) }) };
  const gateway = await standIn(t, { answers });
  const page = await open(t, gateway.address);
  const line = page.locator("hm-trend .line");
  await line.waitFor({ state: "attached" });
  assert.equal((await line.getAttribute("d")).split("M").length - 1, 2);
});

test("after the first reading it shows the counter, and says why there is no more yet", async (t) => {
  const energy = [
    {
      ...meter().energy[0],
      today: null,
      today_last_year: null,
      month: null,
      month_last_year: null,
    },
  ];
  const amounts = (query) => ({ key: query.get("key"), label: "", unit: "GJ", by: "day", bars: [] });
  const history = { state: "fine", message: null, waiting: 0, bytes: 1, polls: 1, since: iso(now() - 60) };
  const gateway = await standIn(t, {
    meters: [meter({ energy })],
    status: { history },
    answers: { amounts },
  });
  const page = await open(t, gateway.address);
  assert.match(await page.locator("[data-key=heat_energy]").innerText(), /412\.837\s+GJ/);
  await page.getByText("Amounts are known from the second reading on.").first().waitFor();
  await page.goto(`${gateway.address}#/history`);
  await page.locator("hm-history").getByText("Amounts are known from the second reading on.").waitFor();
});

test("dates are written as the browser's region writes them, the meter's own, too", async (t) => {
  const set = {
    register: 98,
    key: "target_date",
    label: "Target date",
    kind: "date",
    value: "2026-06-01",
    unit: null,
    quality: "good",
    read_at: iso(now() - 700),
  };
  const gateway = await standIn(t, { meters: [meter({ readings: [...meter().readings, set] })] });
  for (const [language, written] of [
    ["en-GB", "1 Jun 2026"],
    ["en-US", "Jun 1, 2026"],
    ["de-CH", "01.06.2026"],
  ]) {
    const page = await open(t, gateway.address, { locale: language });
    const cell = page.locator("td", { hasText: written });
    await cell.first().waitFor({ state: "attached" });
  }
});

test("what was counted of a part of the month says since when, and is compared with nothing", async (t) => {
  const since = { today_since: null, month: "0.400", month_since: "2026-11-10T15:59:50Z" };
  const energy = [{ ...meter().energy[0], ...since }];
  const gateway = await standIn(t, { meters: [meter({ energy })] });
  const page = await open(t, gateway.address);
  const month = page.locator("section .near", { hasText: "This month" });
  await month.getByText("since 10 Nov 2026, 16:59").waitFor();
  assert.equal(await month.getByText("of last year").count(), 0);
  assert.equal(await page.getByText("by this time a year ago").count(), 1);
});

test("the range is that of the bars that are added up, and an address leads to its own", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, `${gateway.address}#/history?show=power`);
  await page.getByRole("button", { name: "All" }).click();
  await page.evaluate(() => (location.hash = "#/history?show=heat_energy&by=month"));
  const caption = page.locator("hm-history .over .near > span").first();
  const begin = new Date();
  begin.setUTCMonth(begin.getUTCMonth() - 11, 15);
  const [first, last] = [begin / 1000, now()].map((at) => dated(at, { month: "long", year: "numeric" }));
  await until(`${first} – ${last}`, async () => (await caption.innerText()) === `${first} – ${last}`);
});

test("a bar that carries a time without readings does not make the others flat", async (t) => {
  const [from, count] = [Math.floor(now() / DAY) * DAY - 20 * DAY, 20];
  const bars = Array.from({ length: count }, (_, day) => ({
    from: iso(from + day * DAY),
    to: iso(from + (day + 1) * DAY),
    amount: day === 10 ? "90" : "0.9",
    complete: day !== 10,
  }));
  const amounts = (query) => ({ key: query.get("key"), label: "", unit: "GJ", by: "day", bars });
  const gateway = await standIn(t, { answers: { amounts } });
  const page = await open(t, `${gateway.address}#/history?by=day`);
  const plot = page.locator("hm-chart .u-over");
  await plot.waitFor();
  // The bar of a usual day reaches the middle of the chart.
  const colour = await page.locator("hm-chart canvas").evaluate(async (canvas) => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const context = canvas.getContext("2d");
    const over = canvas.parentElement.querySelector(".u-over");
    const ratio = canvas.width / canvas.clientWidth;
    const [left, top] = [over.offsetLeft * ratio, over.offsetTop * ratio];
    const row = context.getImageData(
      left,
      top + over.clientHeight * ratio * 0.5,
      over.clientWidth * ratio,
      1,
    );
    let filled = 0;
    for (let at = 0; at < row.data.length; at += 4)
      if (row.data[at + 3] === 255 && row.data[at] > 150) filled += 1;
    return filled / (row.data.length / 4);
  });
  assert.ok(colour > 0.3, `${colour} of the row is filled`);
});
