// Takes the pictures of the gateway's page for docs/images/: every view, light and dark, wide and phone. What is
// shown is the stand-in of the tests: a year as any other, the same on every machine.
// Called by scripts/screenshots-page.sh.

import { statSync } from "node:fs";
import { createRequire } from "node:module";

import { iso, meter, now, standIn, verdict } from "../tests/page/support/stand_in.mjs";

const { chromium } = createRequire(new URL("../tests/page/package.json", import.meta.url))("playwright-core");

const largest = 200_000; // bytes
const SIZES = { "": { width: 1280, height: 800 }, "-phone": { width: 390, height: 844 } };

const hex = {
  asked: "80 3f 10 07 00 3c 00 44 00 50 00 4a 00 56 00 57 00 59 1d 0e 0d",
  answered:
    "40 3f 10 00 3c 08 04 43 00 06 4c a5 00 44 28 04 42 00 04 63 44 00 50 16 02 41 00 4a 00 4a 29 02 00 00 b6 …",
};
const exchange = (index) => ({
  at: iso(now() - 700 - index * 3600),
  verdict: index === 2 ? "crc_mismatch" : "ok",
  milliseconds: index === 2 ? 3388 : 1180 + ((index * 37) % 60),
  attempts: index === 2 ? 3 : 1,
  lines: [
    { ms: 0, direction: "to", hex: hex.asked, text: "GetRegister 60, 68, 80, 74, 86, 87, 89" },
    {
      ms: 188,
      direction: "from",
      hex: hex.answered,
      text: "60 = 412.837 GJ, 68 = 2875.56 m³, 80 = 7.4 kW, …",
    },
  ],
});
const port = (others) => ({
  by_id: null,
  usb_id: null,
  serial: null,
  holders: [],
  allowed: true,
  help: null,
  ...others,
});
const answers = {
  exchanges: () => [0, 1, 2, 3, 4, 5].map(exchange),
  cost: () => ({ ...meter().battery, planned_wake_ups: 96, planned_seconds: 113.6, draining: true }),
  align: () => null,
  test: () => ({ meter: meter(), verdict: verdict("ok"), readings: meter().readings }),
  ports: () => [
    port({
      port: meter().port,
      path: "/dev/ttyUSB0",
      description: "FTDI FT232R USB UART",
      usb_id: "0403:6001",
      serial: "A50285BI",
    }),
    port({ port: "/dev/ttyS0", path: "/dev/ttyS0", description: "serial8250" }),
  ],
  config: () => ({ toml: "", path: "/etc/heatmeter.toml", writable: true, etag: "1", values: {} }),
};

const ends = [];
const t = { after: (end) => ends.push(end) };
const house = await standIn(t, { answers });
const fresh = await standIn(t, { answers, meters: [], status: { configured: false } });

/** Each picture: where it is taken, and what is done before. */
const PICTURES = {
  home: [house, "", (page) => page.locator("hm-trend svg").waitFor()],
  history: [house, "history", (page) => page.locator("hm-chart canvas").waitFor()],
  align: [house, "align", align],
  line: [house, "line", (page) => page.locator(".exchange summary").first().click()],
  "first-start": [fresh, "", firstStart],
};

async function align(page) {
  await page.getByRole("button", { name: "Start aligning" }).click();
  await page.locator(".stage").waitFor();
  const seen = ["silent", "silent", "silent", "echo_only", "echo_only", "crc_mismatch", "crc_mismatch", "ok"];
  for (let number = 1; number <= 22; number += 1) {
    const code = seen[number - 1] ?? "ok";
    const score = Math.round(Math.min(74, number * 3.4));
    house.tell("align", {
      id: meter().id,
      number,
      verdict: verdict(code),
      score,
      next_step: "",
      milliseconds: 190,
    });
  }
  await page.locator(".dots i").nth(21).waitFor();
}

async function firstStart(page) {
  await page.locator(".port", { hasText: "FTDI" }).getByRole("button", { name: "Test" }).click();
  await page.getByRole("button", { name: "Use this meter" }).waitFor();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const [name, [gateway, view, prepare]] of Object.entries(PICTURES)) {
      const options = { viewport, colorScheme, locale: "en-GB", reducedMotion: "reduce" };
      const page = await browser.newPage(options);
      page.setDefaultTimeout(60_000);
      await page.goto(`${gateway.address}#/${view}`);
      await prepare(page);
      await page.mouse.move(2, 2);
      await page.waitForTimeout(700); // what is on its way to the canvas
      const path = `docs/images/page-${name}${size}${colorScheme === "dark" ? "-dark" : ""}.png`;
      await page.screenshot({ path });
      await page.close();
      const bytes = statSync(path).size;
      console.log(`${path}: ${Math.round(bytes / 1000)} kB`);
      if (bytes > largest) throw new Error(`${path} is larger than ${largest} bytes`);
    }
  }
}
await browser.close();
for (const end of ends) await end();
