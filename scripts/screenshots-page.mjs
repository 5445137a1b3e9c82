// Takes the pictures of the gateway's page for docs/images/: every view, light and dark, wide and phone. What is
// shown is the real program with simulated meters.
// Called by scripts/screenshots-page.sh.

import { statSync } from "node:fs";

import { launch, PATIENCE } from "../tests/page/support/browser.mjs";
import { demo, gateway, house, meter, mosquitto, staged } from "../tests/page/support/gateway.mjs";

const LARGEST = 200_000; // bytes
const SIZES = { "": { width: 1280, height: 800 }, "-phone": { width: 390, height: 844 } };
const LOOKS = ["light", "dark"].flatMap((colorScheme) =>
  Object.entries(SIZES).map(([size, viewport]) => ({
    colorScheme,
    viewport,
    end: `${size}${colorScheme === "dark" ? "-dark" : ""}`,
  })),
);

await staged(async (t) => {
  const browser = await launch();
  t.after(() => browser.close());

  const open = async ({ colorScheme, viewport }, address) => {
    const page = await browser.newPage({ viewport, colorScheme, locale: "en-GB", reducedMotion: "reduce" });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(address);
    return page;
  };
  const take = async (page, name, { end }) => {
    await page.mouse.move(2, 2);
    await page.waitForTimeout(700); // what is on its way to the canvas
    const path = `docs/images/page-${name}${end}.png`;
    await page.screenshot({ path });
    const bytes = statSync(path).size;
    console.log(`${path}: ${Math.round(bytes / 1000)} kB`);
    if (bytes > LARGEST) throw new Error(`${path} is larger than ${LARGEST} bytes`);
  };
  /** One look after the other. */
  const each = async (name, address, prepare) => {
    for (const look of LOOKS) {
      const page = await open(look, address);
      await prepare(page);
      await take(page, name, look);
      await page.close();
    }
  };

  const year = (await demo(t)).address;
  await each("home", year, (page) => page.locator("hm-trend svg").waitFor());
  await each("history", `${year}#/history`, (page) => page.getByText(/[\d.,]+ kWh/).waitFor());
  await each("history-temperatures", `${year}#/history?show=temperatures`, async (page) => {
    await page.getByRole("button", { name: "Month", exact: true }).click();
    await page.getByText(/°C · /).waitFor();
  });
  await each("line", `${year}#/line`, (page) => page.locator(".exchange summary").first().click());

  const simulated = await meter(t, "--pace", "--serial", "84968362");
  const fresh = await gateway(t);
  await each("first-start", fresh.address, async (page) => {
    await page.getByLabel("Another port").fill(simulated.port);
    await page.getByRole("button", { name: "Test" }).last().click();
    await page.getByRole("button", { name: "Use this meter" }).scrollIntoViewIfNeeded();
  });

  const broker = await mosquitto(t, "heatmeter", "warm water");
  const mqtt = `
[mqtt]
host = "127.0.0.1"
port = ${broker.port}
user = "heatmeter"
password = "warm water"
`;
  const config = house(simulated.port, mqtt).replace("every 5 s", "every 15 min");
  const service = await gateway(t, { config });
  await each("setup", `${service.address}#/setup`, (page) => page.getByText(/Delivers; last/).waitFor());

  // All see the same alignment, from silence to a head that sits nearly well.
  const pages = await Promise.all(LOOKS.map((look) => open(look, `${service.address}#/align`)));
  for (const page of pages) await page.getByRole("button", { name: "Start aligning" }).click();
  const attempts = (count) =>
    Promise.all(
      pages.map((page) =>
        page
          .locator(".dots i")
          .nth(count - 1)
          .waitFor(),
      ),
    );
  for (const [order, count] of [
    ["fault silence=1", 4],
    ["echo on", 7],
    ["fault wrong-crc=1", 10],
    ["fault wrong-crc=0.4", 16],
    ["clear", 22],
  ]) {
    await simulated.order(order);
    await attempts(count);
  }
  for (const [index, look] of LOOKS.entries()) await take(pages[index], "align", look);
});
