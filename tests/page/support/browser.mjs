// Chromium for a test file, and what every test wants of a page: patience, and a list of what went wrong
// in it.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

/** Nothing in these tests may take longer; the machine may be busy. */
export const PATIENCE = 60_000;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 780 };

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
    timeout: PATIENCE,
  });

/** One browser for a test file. `open` makes a page in a context of its own. */
export function chromiumOfThisFile() {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /**
   * A page; at the end of the test nothing may have gone wrong in it, and no policy been violated, but for what is
   * `foreseen`.
   */
  return async function open(t, address, { foreseen = /^$/, ...options } = {}) {
    const context = await browser.newContext({
      viewport: WIDE,
      locale: "en-GB",
      reducedMotion: "reduce",
      acceptDownloads: true,
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      // A refused request is said there, too; the page shows those itself.
      const network = /Failed to load resource|net::ERR_/.test(message.text());
      if (message.type() === "error" && !network && !foreseen.test(message.text()))
        faults.push(message.text());
    });
    t.after(async () => {
      await context.close();
      assert.deepEqual(faults, [], "errors in the page");
    });
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
      );
    });
    await page.goto(address);
    return page;
  };
}

/** Waits until the condition holds, with what it last saw in the message. */
export async function until(what, condition) {
  const began = Date.now();
  let seen;
  for (;;) {
    try {
      seen = await condition();
      if (seen) return seen;
    } catch (error) {
      seen = error;
    }
    if (Date.now() - began > PATIENCE) throw new Error(`${what}: never; last: ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
