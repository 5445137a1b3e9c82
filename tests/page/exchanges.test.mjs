// What went over the line can be read while more comes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { iso, meter, now, standIn } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();
const exchange = (at, verdict, hex) => ({
  at,
  verdict,
  milliseconds: 845,
  attempts: 1,
  lines: [{ ms: 0, direction: "to", hex, text: null }],
});

test("an exchange that somebody reads stays open and in its place", async (t) => {
  const said = [exchange(iso(now() - 60), "ok", "01 01"), exchange(iso(now() - 120), "silent", "02 02")];
  const gateway = await standIn(t, { answers: { exchanges: () => said } });
  const page = await open(t, `${gateway.address}#/line`);
  await page.locator(".exchange").nth(1).locator("summary").click();
  await page.getByText("02 02").waitFor();
  said.unshift(exchange(iso(now()), "silent", "03 03"));
  gateway.tell("poll", { id: meter().id, time: iso(now()), verdict: "silent" });
  await until("the new one", async () => (await page.locator(".exchange").count()) === 3);
  assert.deepEqual(await page.locator("details.exchange[open] code").allTextContents(), ["02 02"]);
});

test("bytes that came one by one are shown as the frame that they are", async (t) => {
  const line = (ms, direction, hex) => ({ ms, direction, hex, text: null });
  const slow = {
    ...exchange(iso(now()), "silent", ""),
    lines: [
      line(0, "to", "80 3f 01"),
      ...["40", "3f", "10"].map((hex, index) => line(222 + 9 * index, "from", hex)),
      line(900, "from", "ff"),
    ],
  };
  const gateway = await standIn(t, { answers: { exchanges: () => [slow] } });
  const page = await open(t, `${gateway.address}#/line`);
  await page.getByText("40 3f 10").waitFor();
  assert.deepEqual(await page.locator(".bytes code").allTextContents(), ["80 3f 01", "40 3f 10", "ff"]);
  await page.getByText("222–240 ms").waitFor();
});
