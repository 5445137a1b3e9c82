// From nothing to the first value, with the real program and a simulated meter, by clicking only.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, PHONE } from "./support/browser.mjs";
import { freePort, gateway, meter, run } from "./support/gateway.mjs";

const open = chromiumOfThisFile();

test("from the first start to the first value by clicking, on a phone", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t);
  const page = await open(t, service.address, { viewport: PHONE });
  await page.getByRole("heading", { name: "Welcome to heatmeter" }).waitFor();

  // A network bridge is the one port that has to be entered; serial ports are there to click on.
  await page.getByLabel("Another port").fill(simulated.port);
  await page.getByRole("button", { name: "Test" }).last().click();
  await page.getByText("MULTICAL 403").waitFor();
  await page.getByRole("button", { name: "Use this meter" }).click();
  await page.getByRole("button", { name: "Add meter" }).click();
  await page.getByRole("heading", { name: "This will be written" }).waitFor();
  assert.doesNotMatch(service.text(), /\[\[meter\]\]/, "nothing is written before it is asked");
  await page.getByRole("button", { name: "Write it" }).click();

  await page.getByRole("heading", { name: "Heat meter" }).waitFor();
  await page.getByText("MULTICAL 403 · No.").waitFor();
  await page.locator("[data-key=power]").filter({ hasText: /\d kW/ }).waitFor();
  assert.match(service.text(), /# Kept by hand\./);
  assert.match(service.text(), /\[\[meter\]\]/);
  const { code, said } = await run("check-config", service.file);
  assert.equal(code, 0, said);
});

test("a port that cannot be had is told why, and can be added anyway", async (t) => {
  const service = await gateway(t);
  const page = await open(t, service.address);
  const port = `socket://127.0.0.1:${await freePort()}`;
  await page.getByLabel("Another port").fill(port);
  await page.getByRole("button", { name: "Test" }).last().click();
  await page.getByRole("alert").filter({ hasText: port }).waitFor();
  await page.getByRole("button", { name: "Add it anyway" }).click();
  await page.getByRole("heading", { name: "New meter" }).waitFor();
  assert.equal(await page.getByLabel("Port", { exact: true }).inputValue(), port);
});
