// How long Chromium takes to draw: a year of hourly measurements as lines, ten years of daily amounts as bars.
// From the moment the numbers are handed to the chart until they are on its canvas; the median of five.
// Printed, not asserted: machines differ. Called by `make measure-page`.

import { launch } from "../tests/page/support/browser.mjs";
import { staged } from "../tests/page/support/gateway.mjs";
import { standIn } from "../tests/page/support/stand_in.mjs";

const TIMES = 5;
const HOUR = 3600;
const end = Math.floor(Date.now() / 1000 / HOUR) * HOUR;

const WHAT = {
  "a year of hourly measurements, 8760 points with lowest and highest": {
    kind: "lines",
    count: 8760,
    step: HOUR,
  },
  "ten years of daily amounts, 3652 bars": { kind: "bars", count: 3652, step: 24 * HOUR },
  "a year of hourly amounts, 8760 bars": { kind: "bars", count: 8760, step: HOUR },
};

await staged(async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${(await standIn(t)).address}#/history`);
  await page.locator("hm-chart canvas").waitFor();
  for (const [name, what] of Object.entries(WHAT)) {
    const took = [];
    for (let time = 0; time < TIMES; time += 1) took.push(await page.evaluate(draw, { ...what, end }));
    took.sort((a, b) => a - b);
    const [median, least, most] = [took[TIMES >> 1], took[0], took[TIMES - 1]].map((ms) => ms.toFixed(1));
    console.log(`${name}: ${median} ms (${least} to ${most})`);
  }
});

/** Runs in the page: a new chart element each time, as when the view is opened. */
async function draw({ kind, count, step, end }) {
  const times = Array.from({ length: count }, (_, index) => end - (count - index) * step);
  const values = times.map((_, index) => 4 + 3 * Math.cos((index / count) * 6.28) + Math.sin(index / 3.8));
  const chart = document.createElement("hm-chart");
  chart.whole = chart.range = { from: times[0], to: end };
  chart.label = "measured";
  const lines = [
    {
      label: "Power",
      colour: "power",
      times,
      decimals: 1,
      last: values,
      min: values.map((value) => value * 0.9),
      max: values.map((value) => value * 1.1),
    },
  ];
  const bars = { label: "Heat", colour: "accent", times, amounts: values, partial: times.map(() => false) };
  chart.picture =
    kind === "lines"
      ? { unit: "kW", bars: null, lines, gaps: [] }
      : { unit: "kWh", bars, lines: [], gaps: [] };
  const host = document.querySelector("hm-app").renderRoot.querySelector("main");
  const began = performance.now();
  host.append(chart);
  await chart.updateComplete;
  // uPlot draws in a microtask; reading a pixel makes the canvas finish.
  await Promise.resolve();
  const canvas = chart.renderRoot.querySelector("canvas");
  canvas.getContext("2d").getImageData(0, 0, 1, 1);
  const took = performance.now() - began;
  chart.remove();
  return took;
}
