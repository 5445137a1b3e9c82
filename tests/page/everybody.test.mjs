// The page for everybody: no serious fault for axe-core in any view, light or dark; on a phone; with the
// keyboard alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

import { chromiumOfThisFile, PHONE, until, WIDE } from "./support/browser.mjs";
import { demoOfThisFile, freePort, gateway, house as configuration, meter } from "./support/gateway.mjs";

const open = chromiumOfThisFile();
const house = demoOfThisFile();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A meter that answers, one that cannot be reached, and a broker that is away. */
async function trouble(t) {
  const port = await freePort();
  const more = `
[[meter]]
name = "Flat"
port = "socket://127.0.0.1:${port}"

[mqtt]
host = "127.0.0.1"
port = ${port}
`;
  const { port: answers } = await meter(t);
  return gateway(t, { config: configuration(answers, more) });
}

/** Each view as it is used, and how to get there. */
const VIEWS = {
  home: async (page) =>
    page
      .getByText(/All \d+ values/)
      .first()
      .click(),
  history: async (page) => {
    await page.getByRole("button", { name: "Table" }).click();
    await page.locator("hm-history tbody tr").first().waitFor();
  },
  align: async (page) => page.getByRole("button", { name: "Start aligning" }).waitFor(),
  line: async (page) => page.locator(".exchange").first().waitFor(),
  setup: async (page) => {
    await page.getByRole("button", { name: "Edit" }).first().click();
    await page.getByLabel("Name", { exact: true }).waitFor();
  },
};

async function faultsOf(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.flat().join(" ")} ${node.failureSummary}`),
    );
}

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries({ wide: WIDE, phone: PHONE })) {
    test(`axe-core finds no serious fault in any view, ${colorScheme}, ${size}`, async (t) => {
      const troubled = (await trouble(t)).address;
      // axe is put in by a script of the test's own, which the page's policy rightly forbids.
      const page = await open(t, "about:blank", { colorScheme, viewport, bypassCSP: true });
      await page.goto(troubled);
      await page.getByText("See what was received").first().waitFor();
      await page.getByText("mqtt does not take readings").waitFor();
      assert.deepEqual(await faultsOf(page), [], `trouble, ${colorScheme}, ${size}`);
      for (const [view, prepare] of Object.entries(VIEWS)) {
        await page.goto(`${house.address}#/${view === "home" ? "" : view}`);
        await page.locator(`hm-${view}`).waitFor();
        await prepare(page);
        assert.deepEqual(await faultsOf(page), [], `${view}, ${colorScheme}, ${size}`);
        const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(inner <= outer, `${view} is ${inner} wide, the screen ${outer}`);
      }
    });
  }
}

test("axe-core finds no serious fault in the alignment, the login and the question before writing", async (t) => {
  const page = await open(t, `${house.address}#/align`, { bypassCSP: true, viewport: PHONE });
  await page.getByRole("button", { name: "Start aligning" }).click();
  await page.locator(".dots i").first().waitFor();
  assert.deepEqual(await faultsOf(page), []);
  await page.getByRole("button", { name: "Stop" }).click();

  await page.goto(`${house.address}#/setup`);
  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Villa");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Write it" }).waitFor();
  assert.deepEqual(await faultsOf(page), []);

  await page.route("**/api/**", (route) => route.fulfill({ status: 401, body: "{}" }));
  await page.reload();
  await page.getByLabel("Token").waitFor();
  assert.deepEqual(await faultsOf(page), []);
});

test("on a phone the views are below the thumb, and nothing is wider than the screen", async (t) => {
  const page = await open(t, house.address, { viewport: PHONE, hasTouch: true, isMobile: true });
  const tabs = page.getByRole("navigation");
  const box = await tabs.boundingBox();
  assert.ok(box.y + box.height >= PHONE.height - 1, `the views end at ${box.y + box.height}`);
  for (const name of ["History", "Align", "Line", "Set-up", "Home"]) {
    await tabs.getByRole("link", { name, exact: true }).tap();
    await tabs.locator("[aria-current=page]", { hasText: name }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${name} is ${wide} wide`);
  }
});

test("the keyboard alone is enough", async (t) => {
  const page = await open(t, house.address);
  await page.getByRole("heading", { name: "Demonstration" }).waitFor();
  const focused = () =>
    page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return `${element.tagName} ${(element.getAttribute("aria-label") ?? element.textContent).trim()}`;
    });
  const tabTo = async (wanted) => {
    for (let press = 0; press < 60; press += 1) {
      await page.keyboard.press("Tab");
      if (wanted.test(await focused())) return;
    }
    assert.fail(`${wanted} is not reached by the tab key`);
  };
  await page.keyboard.press("Tab");
  assert.match(await focused(), /Skip to the content/);
  await tabTo(/^A History$/);
  await page.keyboard.press("Enter");
  await page.locator("hm-history").waitFor();
  await until("the focus is in the view", async () => /^MAIN/.test(await focused()));
  await tabTo(/^BUTTON Months$/);
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Months", pressed: true }).waitFor();
  await tabTo(/^DIV Heat energy/);
  await page.keyboard.press("ArrowLeft");
  await page.goto(`${house.address}#/setup`);
  await page.getByRole("button", { name: "Edit" }).first().waitFor();
  await tabTo(/^BUTTON Edit$/);
  await page.keyboard.press("Enter");
  await tabTo(/^INPUT/);
  await page.keyboard.type("Villa");
});

test("light and dark follow the system until somebody chooses", async (t) => {
  const page = await open(t, house.address, { colorScheme: "dark" });
  const theme = () => page.locator("html").getAttribute("data-theme");
  await page.getByRole("button", { name: "Light colours" }).waitFor();
  assert.equal(await theme(), "dark");
  await page.emulateMedia({ colorScheme: "light" });
  await until("light", async () => (await theme()) === "light");
  await page.getByRole("button", { name: "Dark colours" }).click();
  assert.equal(await theme(), "dark");
  await page.reload();
  await page.getByRole("button", { name: "Light colours" }).waitFor();
  assert.equal(await theme(), "dark");
});
