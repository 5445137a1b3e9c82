// The set-up changes the configuration as somebody would by hand, and tries destinations.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { chromiumOfThisFile } from "./support/browser.mjs";
import { gateway, house, meter, mosquitto, run } from "./support/gateway.mjs";

const open = chromiumOfThisFile();

async function accepted(service) {
  const { code, said } = await run("check-config", service.file);
  assert.equal(code, 0, said);
  return service.text();
}

async function write(page) {
  await page.getByRole("heading", { name: "This will be written" }).waitFor();
  await page.getByRole("button", { name: "Write it" }).click();
  await page.getByText("Written. The gateway works with it already.").waitFor();
}

test("a change is shown, asked about, written in its place, and used; comments stay", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { config: house(simulated.port) });
  const before = service.text();
  const page = await open(t, `${service.address}#/setup`);
  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Villa");
  await page.getByLabel("When it is read").selectOption({ label: "Every 15 minutes" });
  await page.getByRole("button", { name: "Apply" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText('-name = "House"   # the one in the cellar').waitFor();
  await dialog.getByText('+name = "Villa"   # the one in the cellar').waitFor();
  assert.equal(service.text(), before, "nothing is written yet");
  await write(page);
  const expected = before.replace('"House"', '"Villa"').replace("every 5 s", "every 15 min");
  assert.equal(await accepted(service), expected);
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { name: "Villa" }).waitFor();
});

test("a file that somebody changed meanwhile is not overwritten", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { config: house(simulated.port) });
  const first = await open(t, `${service.address}#/setup`);
  const second = await open(t, `${service.address}#/setup`);
  for (const page of [first, second]) {
    await page.getByRole("button", { name: "Edit" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill(page === first ? "First" : "Second");
    await page.getByRole("button", { name: "Apply" }).click();
  }
  await write(first);
  await second.getByRole("button", { name: "Write it" }).click();
  await second.getByText("The file was changed meanwhile").waitFor();
  assert.match(service.text(), /"First"/);
});

test("a meter can be removed, and then the page says that there is none", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, `${service.address}#/setup`);
  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByRole("button", { name: "Remove" }).click();
  await write(page);
  assert.doesNotMatch(await accepted(service), /\[\[meter\]\]/);
  for (const [view, name] of Object.entries({
    "": "Home",
    history: "History",
    align: "Align",
    line: "Line",
  })) {
    await page.getByRole("link", { name, exact: true }).click();
    await page.locator(`hm-${view || "home"} .empty`).waitFor();
  }
});

test("a configuration that was changed by hand and is wrong is said, until it is right", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, service.address);
  const right = service.text();
  writeFileSync(service.file, right.replace("schedule", "shedule"));
  service.reload();
  const notice = page.getByText("The changed configuration was not taken up");
  await notice.waitFor();
  await page.getByText(/shedule/).waitFor();
  writeFileSync(service.file, right);
  service.reload();
  await notice.waitFor({ state: "hidden" });
});

test("a broker is tried with a wrong and the right password, then gets readings", async (t) => {
  const simulated = await meter(t);
  const broker = await mosquitto(t, "heat", "warm water");
  const service = await gateway(t, { config: house(simulated.port) });
  const page = await open(t, `${service.address}#/setup`);
  const destinations = page.locator("hm-destinations");
  const tryIt = () => destinations.getByRole("button", { name: "Test" }).first().click();
  await page.getByRole("button", { name: /^MQTT/ }).click();
  await page.getByLabel("Broker's address").fill("127.0.0.1");
  await page.getByLabel("TCP port").fill(String(broker.port));
  await page.getByLabel("User").fill("heat");
  await page.getByLabel("File with the password").fill(service.beside("cold water"));
  // Whoever may only test may not have files sent to an address of theirs.
  await tryIt();
  await destinations.getByText("write the change first").waitFor();
  await destinations.getByRole("button", { name: "Add", exact: true }).click();
  await write(page);
  await tryIt();
  await destinations.getByText("Check user and password_file").first().waitFor();
  await destinations.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("File with the password").fill(service.beside("warm water"));
  await page.getByRole("button", { name: "Apply" }).click();
  await write(page);
  await tryIt();
  await destinations.getByText("It works: the destination answered.").waitFor();
  await destinations.getByText(/Delivers; last/).waitFor();
  const text = await accepted(service);
  assert.match(text, /\[mqtt\]/);
  assert.doesNotMatch(text, /warm water/);
});

test("secrets of the configuration are dots on the page, and stay what they are", async (t) => {
  const simulated = await meter(t);
  const secret = "b7-never-to-be-seen";
  const config = `${house(simulated.port)}\n[mqtt]\nhost = "127.0.0.1"\nport = 9\nuser = "u"\npassword = "${secret}"\n`;
  const service = await gateway(t, { config });
  const page = await open(t, "about:blank");
  const answers = [];
  page.on("response", async (response) => answers.push(await response.text().catch(() => "")));
  await page.goto(`${service.address}#/setup`);
  await page.getByText("The configuration as it is").click();
  await page.getByText("••••").first().waitFor();
  await page.locator("hm-destinations").getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("User").fill("somebody");
  await page.getByRole("button", { name: "Apply" }).click();
  await write(page);
  assert.match(await accepted(service), new RegExp(`user = "somebody"\npassword = "${secret}"`));
  assert.ok(answers.length > 5);
  assert.ok(!answers.some((text) => text.includes(secret)), "it never reached the browser");
});
