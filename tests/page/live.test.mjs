// What the page shows follows what happens: values, a meter that falls silent, a gateway that goes away.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile } from "./support/browser.mjs";
import { gateway, house, meter } from "./support/gateway.mjs";

const open = chromiumOfThisFile();

/** Energy that grows from one reading to the next is what shows that something came. */
const FAST = ["--speed", "3000"];

const energy = (page) =>
  page
    .getByRole("row", { name: /^Heat energy/ })
    .getByRole("cell")
    .nth(1);

async function shown(page) {
  await page.getByText(/All \d+ values/).click();
  await energy(page).filter({ hasText: /\d/ }).waitFor();
  return energy(page).innerText();
}

const another = (page, before) => energy(page).filter({ hasNotText: before }).waitFor();

test("values change by themselves, and come at once when asked for", async (t) => {
  const simulated = await meter(t, ...FAST);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, service.address);
  await another(page, await shown(page));
  const before = await energy(page).innerText();
  await page.getByRole("button", { name: "Read now" }).click();
  await another(page, before);
});

test("the gateway goes away and comes back: what was seen stays, then it goes on by itself", async (t) => {
  const simulated = await meter(t, ...FAST);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, service.address);
  const before = await shown(page);
  await service.end("SIGKILL");
  await page.getByRole("alert").getByText("The gateway does not answer").waitFor();
  await page.getByText("No connection").waitFor();
  assert.match(await energy(page).innerText(), /\d/);
  await service.start();
  await page.getByRole("status").getByText("Live").waitFor();
  await another(page, before);
  assert.equal(await page.getByText("The gateway does not answer").count(), 0);
});

test("a meter that falls silent is told with the next step; its values turn old and stay", async (t) => {
  const simulated = await meter(t, ...FAST);
  const service = await gateway(t, { config: house(simulated.port, `timeout = "1.6s"\n`) });
  const page = await open(t, service.address);
  await shown(page);
  await page.getByText("Works; read just now").waitFor();
  await simulated.order("fault silence=1");
  const alert = page.getByRole("alert");
  await alert.getByText(/not one byte came back|silent now/).waitFor();
  await page.getByText(/Not read; last/).waitFor();
  assert.match(await energy(page).innerText(), /\d/);
  await page.locator(".old").first().waitFor();
  await page.getByRole("link", { name: "Align the head" }).click();
  await page.getByRole("button", { name: "Start aligning" }).waitFor();
  await page.goBack();
  await simulated.order("clear");
  await page.getByText("Works; read just now").waitFor();
  assert.equal(await alert.count(), 0);
});
