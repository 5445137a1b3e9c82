// What the page says when things are as they seldom are: the gateway is a stand-in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { iso, meter, now, standIn, status } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();

test("while the first answers are on their way it says that it is loading", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, "about:blank");
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  await page.route("**/api/meters", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(gateway.address);
  await page.getByRole("status", { name: "Loading" }).waitFor();
  answer();
  await page.getByRole("heading", { name: "House" }).waitFor();
});

test("values that are old are said to be", async (t) => {
  const gateway = await standIn(t, {
    meters: [meter({ stale: true, read_at: iso(now() - 9000) })],
  });
  const page = await open(t, gateway.address);
  await page.getByText("Old; read 3 hours ago").waitFor();
  await page.getByText("These values are old").waitFor();
});

test("a full disk and a destination that is away are said", async (t) => {
  const history = {
    ...status().history,
    state: "disk_full",
    message: "No space left.",
    waiting: 7,
  };
  const trouble = {
    message: "The broker refuses the connection.",
    help: "Check host and port.",
  };
  const away = {
    name: "mqtt",
    kind: "mqtt",
    state: "trouble",
    pending: 12,
    delivered: 1,
    delivered_at: null,
    trouble,
  };
  const gateway = await standIn(t, {
    status: { history, destinations: [away] },
  });
  const page = await open(t, gateway.address);
  await page.getByRole("alert").getByText("The disk is full").waitFor();
  await page.getByText("7 readings wait in memory.").waitFor();
  await page.getByText("mqtt does not take readings").waitFor();
  await page.getByText("12 readings are kept for it.").waitFor();
});

test("a damaged history that was replaced is said, and where it is kept", async (t) => {
  const salvaged = { polls: 8123, kept: "/var/lib/heatmeter/history.db.damaged" };
  const gateway = await standIn(t, { status: { history: { ...status().history, salvaged } } });
  const page = await open(t, gateway.address);
  await page.getByText("The history was damaged").waitFor();
  await page
    .getByText(/8123\. The damaged file is kept as \/var\/lib\/heatmeter\/history\.db\.damaged/)
    .waitFor();
});

test("a lost connection is said, what was seen stays, and it comes back by itself", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, gateway.address);
  const value = page.locator("[data-key=power]");
  await value.filter({ hasText: "7.4" }).waitFor();
  await page.route("**/api/**", (route) => route.abort());
  await gateway.close();
  await page.getByRole("alert").getByText("The gateway does not answer").waitFor();
  await page.getByText("No connection").waitFor();
  assert.match(await value.innerText(), /7\.4/);
  const again = await standIn(t, { meters: [meter({ name: "Cottage" })] });
  await page.unroute("**/api/**");
  // The same address as before, as after a restart.
  await page.route(`${gateway.address}**`, (route) =>
    route.continue({
      url: route.request().url().replace(gateway.address, again.address),
    }),
  );
  await page.getByRole("button", { name: "Try now" }).click();
  await page.getByRole("heading", { name: "Cottage" }).waitFor();
  await page.getByRole("status").getByText("Live").waitFor();
});

test("a part of the history that cannot be loaded is said and can be asked again", async (t) => {
  const gateway = await standIn(t);
  const page = await open(t, "about:blank");
  await page.route("**/amounts?*", (route) => route.fulfill({ status: 500, body: "{}" }));
  await page.goto(`${gateway.address}#/history`);
  await page.getByText("Part of the history could not be loaded.").waitFor();
  await page.unroute("**/amounts?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText(/[\d.,]+ kWh/).waitFor();
  await until("the notice is gone", async () => (await page.getByText("could not be loaded").count()) === 0);
});
