// The alignment follows the head: faults that are switched on in the simulated meter are seen at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, PHONE } from "./support/browser.mjs";
import { gateway, house, meter } from "./support/gateway.mjs";

const open = chromiumOfThisFile();
const ANSWERED = /^\s*Answered\s*$/;

/** What is switched on in a meter that answers, and what the page says then. */
const FAULTS = {
  "fault silence=1": /not one byte came back/,
  "echo on, fault silence=1": /own echo/,
  "fault echo-mangled=1": /damaged echo/,
  "fault wrong-crc=1": /answers arrive damaged/,
  "fault wrong-protocol=1": /does not speak the Kamstrup Meter Protocol/,
};

test("the alignment shows a fault soon after it begins, and its end", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, `${service.address}#/align`, { viewport: PHONE });
  await page.getByRole("button", { name: "Start aligning" }).click();
  const verdict = page.locator(".verdict");
  await verdict.filter({ hasText: ANSWERED }).waitFor();
  const shown = async (orders, text) => {
    for (const order of orders.split(", ")) await simulated.order(order);
    const began = performance.now();
    await verdict.filter({ hasText: text }).waitFor();
    assert.notEqual(await page.locator(".next").innerText(), "");
    return `${((performance.now() - began) / 1000).toFixed(1)} s`;
  };
  for (const [fault, text] of Object.entries(FAULTS)) {
    const seen = await shown(fault, text);
    const gone = await shown("echo off, clear", ANSWERED);
    t.diagnostic(`${fault}: shown after ${seen}; its end after ${gone}`);
  }
  assert.ok(Number(await page.getByRole("meter").getAttribute("aria-valuenow")) > 0);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Aligning has ended. The meter is read by its schedule again.").waitFor();
});
