// Who may see the page, and what it may run: the token, the path of a proxy, the policy, names with markup.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { chromiumOfThisFile } from "./support/browser.mjs";
import { gateway, house, meter, proxy } from "./support/gateway.mjs";

const open = chromiumOfThisFile();
const TOKEN = "bb0ad6a3f1c94d7e8a52";

test("nothing is shown without the token; a wrong one is refused, the right one opens, logging out closes", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { web: `token = "${TOKEN}"`, config: house(simulated.port) });
  const page = await open(t, service.address);
  const token = page.getByLabel("Token");
  const enter = async (text) => {
    await token.fill(text);
    await page.getByRole("button", { name: "Open" }).click();
  };
  await token.waitFor();
  for (const path of ["status", "meters", "events", "config", "catalogue"]) {
    const answer = await page.request.get(`${service.address}api/${path}`);
    assert.equal(answer.status(), 401, path);
  }
  assert.equal(await page.getByText("House").count(), 0);
  await enter("something else entirely");
  await page.getByText("This is not the token.").waitFor();
  await enter(TOKEN);
  await page.getByRole("heading", { name: "House" }).waitFor();

  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
  assert.ok(!cookie.value.includes(TOKEN), "the cookie does not hold the token");
  const kept = await page.evaluate(() =>
    JSON.stringify([document.cookie, { ...localStorage }, location.href]),
  );
  assert.doesNotMatch(kept, new RegExp(TOKEN), "no script can read it");
  await page.reload();
  await page.getByRole("heading", { name: "House" }).waitFor();

  await page.getByRole("button", { name: "Log out" }).click();
  await token.waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  assert.equal(await page.getByText("House").count(), 0);
});

test("a token that was changed is asked for again, without a reload", async (t) => {
  const simulated = await meter(t);
  const service = await gateway(t, { web: `token = "${TOKEN}"`, config: house(simulated.port) });
  const page = await open(t, service.address);
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { name: "House" }).waitFor();
  await service.end();
  writeFileSync(service.file, service.text().replace(TOKEN, "another-token-altogether"));
  await service.start();
  await page.getByLabel("Token").waitFor();
  assert.equal(await page.getByText("House").count(), 0);
});

for (const cuts of [true, false]) {
  test(`the page works below a path that a proxy ${cuts ? "cuts off" : "leaves"}`, async (t) => {
    const simulated = await meter(t);
    const service = await gateway(t, {
      web: cuts ? "" : `prefix = "/heat/meter"`,
      config: house(simulated.port),
    });
    const page = await open(t, await proxy(t, service.address, "/heat/meter", { cuts }));
    await page.getByRole("heading", { name: "House" }).waitFor();
    await page.getByRole("status").getByText("Live").waitFor();
    await page.getByRole("link", { name: "Set-up" }).click();
    await page.getByRole("heading", { name: "Meters" }).waitFor();
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("link", { name: "Übersicht" }).click();
    await page.getByRole("button", { name: "Jetzt lesen" }).click();
    await page.locator("[data-key=power]").filter({ hasText: /\d/ }).waitFor();
  });
}

test("only files of the gateway may run; none of its answers holds a script of its own", async (t) => {
  const service = await gateway(t);
  const page = await open(t, service.address, { foreseen: /^Executing inline script violates/ });
  const answer = await page.request.get(service.address);
  const policy = Object.fromEntries(
    answer
      .headers()
      ["content-security-policy"].split(";")
      .map((part) => part.trim().split(/ (.*)/)),
  );
  assert.equal(policy["default-src"], "'none'");
  for (const name of ["script-src", "style-src", "connect-src"]) assert.equal(policy[name], "'self'", name);
  const html = await answer.text();
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|\son\w+=|javascript:|<style/i);
  // The browser refuses what comes in all the same.
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    const refused = new Promise((resolve) =>
      addEventListener(
        "securitypolicyviolation",
        (event) => {
          event.stopImmediatePropagation();
          resolve(false);
        },
        { capture: true },
      ),
    );
    document.body.append(script);
    return globalThis.ran ?? refused;
  });
  assert.equal(ran, false);
});

test("text of the configuration and of a port cannot inject markup", async (t) => {
  const simulated = await meter(t);
  const name = `<img src=x onerror="document.title='broken'"><b>House</b>`;
  const config = house(simulated.port).replace('"House"', `'''${name}'''`);
  const service = await gateway(t, { config });
  const page = await open(t, service.address);
  await page.getByRole("heading", { name }).waitFor();
  for (const view of ["history", "align", "line", "setup"]) {
    await page.goto(`${service.address}#/${view}`);
    await page.locator(`hm-${view} h1`).waitFor();
  }
  await page.getByText("The configuration as it is").click();
  await page.getByText(name).last().waitFor();
  await page.getByLabel("Another port").fill(`socket://<img src=x>:1`);
  await page.getByRole("button", { name: "Test" }).last().click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.doesNotMatch(await page.title(), /broken/);
});
