// Ten years of history: moving about in it, units, gaps, and the file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { iso, now, standIn } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const range = (page) => page.locator("hm-chart").evaluate((chart) => ({ ...chart.range }));
const DAY = 86_400;

async function history(t, show = "heat_energy", options = {}) {
  const gateway = await standIn(t, options);
  const page = await open(t, `${gateway.address}#/history?show=${show}`);
  await page.locator("hm-chart canvas").waitFor();
  return page;
}

const headline = (page) => page.locator("hm-history .sum").innerText();

test("bars are hours, days, months or years, in the unit that was chosen", async (t) => {
  const page = await history(t);
  await until("a sum", async () => /kWh$/.test(await headline(page)));
  for (const [name, days] of Object.entries({
    Hours: 2,
    Days: 31,
    Months: 365,
    Years: 3652,
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

test("wheel and buttons zoom, dragging pans, and bars change with the zoom", async (t) => {
  const page = await history(t);
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

test("keys move through time", async (t) => {
  const page = await history(t, "power");
  await page.getByRole("button", { name: "Week", exact: true }).click();
  const chart = page.getByRole("application");
  await chart.focus();
  const start = await range(page);
  await chart.press("ArrowLeft");
  const moved = await until("earlier", async () => {
    const shown = await range(page);
    return shown.from < start.from && shown;
  });
  await chart.press("+");
  await until("nearer", async () => {
    const shown = await range(page);
    return shown.to - shown.from < moved.to - moved.from;
  });
  await chart.press("End");
  await until("at the end", async () => Math.abs((await range(page)).to - start.to) < 120);
});

test("what was fetched is not fetched again", async (t) => {
  const page = await history(t, "power");
  const asked = [];
  page.on("request", (request) => request.url().includes("/history?") && asked.push(request.url()));
  for (const name of ["Year", "Month", "All", "Week", "Year", "Month", "All", "Week"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await until("loaded", async () => (await page.locator("hm-history").getByText("Loading").count()) === 0);
  }
  assert.equal(new Set(asked).size, asked.length);
});

test("a time without readings is a gap, and says why", async (t) => {
  const end = now();
  const gap = {
    from: iso(end - 3 * DAY),
    to: iso(end - 2 * DAY),
    verdict: "silent",
  };
  const page = await history(t, "power", {
    answers: {
      history: (query) => {
        const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name)) / 1000);
        const times = [];
        for (let time = Math.ceil(from / 600) * 600; time < Math.min(to, end); time += 600) {
          if (time < end - 3 * DAY || time > end - 2 * DAY) times.push(time);
        }
        const flat = times.map(() => 5);
        return {
          key: "power",
          label: "",
          unit: "kW",
          times,
          last: flat,
          min: flat,
          max: flat,
          gaps: [gap],
        };
      },
    },
  });
  await until("points", () =>
    page.locator("hm-chart").evaluate((chart) => {
      const [line] = chart.picture.lines;
      const hole = line?.last.indexOf(null) ?? -1;
      return hole > 0 && line.last[hole - 1] === 5 && line.last[hole + 1] === 5;
    }),
  );
  await page.getByText("No readings").waitFor();
});

test("the table and the file hold what is shown", async (t) => {
  const page = await history(t);
  await page.getByRole("button", { name: "Months", exact: true }).click();
  await page.getByRole("button", { name: "GJ", exact: true }).click();
  await page.getByRole("button", { name: "Table" }).click();
  const rows = page.locator("hm-history tbody tr");
  await until("rows", async () => (await rows.count()) >= 12);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).click(),
  ]);
  const lines = readFileSync(await download.path(), "utf8")
    .trim()
    .split("\n");
  assert.equal(lines[0], "time,Heat energy (GJ),Note");
  assert.equal(lines.length - 1, await rows.count());
  assert.match(lines[1], /^\d{4}-\d\d-01T00:00:00\+0\d:00,\d+\.\d{3},/);
});
