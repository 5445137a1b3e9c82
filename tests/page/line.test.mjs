// What went over the line, what it costs, and a recording for somebody else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { chromiumOfThisFile } from "./support/browser.mjs";
import { gateway, house, meter, run } from "./support/gateway.mjs";

const open = chromiumOfThisFile();
const SERIAL = "84968362";

test("exchanges are shown with bytes and verdict, as they happen", async (t) => {
  const simulated = await meter(t, "--serial", SERIAL);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, `${service.address}#/line`);
  const exchanges = page.locator(".exchange");
  await exchanges.filter({ hasText: "Answered" }).first().click();
  await page
    .getByText(/^80 3f /)
    .first()
    .waitFor();
  await page
    .getByText(/^40 3f /)
    .first()
    .waitFor();
  await simulated.order("fault wrong-crc=1");
  await exchanges.filter({ hasText: "arrive damaged" }).first().waitFor();
});

test("a recording can be read again by the program, and does not tell the serial number", async (t) => {
  const simulated = await meter(t, "--serial", SERIAL);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, `${service.address}#/line`);
  await page.locator(".exchange").first().waitFor();
  await page.getByText(`No. ${SERIAL}`).waitFor({ state: "detached" });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Recording, serial number masked" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "heatmeter-recording.jsonl");
  const recording = readFileSync(await download.path(), "utf8");
  // As a number of the meter's four bytes, and as text.
  const hex = Number(SERIAL).toString(16).padStart(8, "0");
  const bytes = hex.match(/../g);
  for (const secret of [SERIAL, hex, bytes.join(" ")]) {
    assert.ok(!recording.toLowerCase().includes(secret), `the recording tells ${secret}`);
  }
  const { code, said } = await run("read", `replay://${service.beside(recording)}`, "--json");
  assert.equal(code, 0, said);
  assert.equal(JSON.parse(said).readings[0].quality, "good");
});

test("the ledger tells what another schedule would cost", async (t) => {
  const simulated = await meter(t);
  const config = house(simulated.port)
    .replace("every 5 s", "every 1 min")
    .replace("mains_powered = true", "");
  const service = await gateway(t, { config });
  const page = await open(t, `${service.address}#/line`);
  await page.getByText("This schedule takes clearly more than the battery was made for.").waitFor();
  await page.getByText("60.0 times what the battery was made for.").waitFor({ state: "detached" });
  await page.getByLabel("What would another schedule cost?").selectOption({ label: "Every minute" });
  await page.getByText("60.0 times what the battery was made for.").waitFor();
});
