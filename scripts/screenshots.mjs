// Takes the pictures of docs/images/ in Chromium, from a real Home Assistant with its real pages.
// Called by scripts/screenshots.sh, which says where things are.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { chromium } = createRequire(join(process.env.PLAYWRIGHT, "package.json"))("playwright-core");

const images = "docs/images";
const largest = 200_000; // bytes
const patience = 60_000; // milliseconds

/** tests/home_assistant/stage.py, which follows orders. */
class Stage {
  constructor() {
    const command = ["--network", "ha", "python", "-m", "tests.home_assistant.stage"];
    this.process = spawn("scripts/in-home-assistant", command, { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async answer() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error("the stage has ended");
    return JSON.parse(value);
  }

  order(...words) {
    this.process.stdin.write(`${words.join(" ")}\n`);
    return this.answer();
  }

  end() {
    this.process.stdin.end("stop\n");
  }
}

async function open(stage, profile) {
  const { url, token, port } = await stage.answer();
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
    viewport: { width: 900, height: 640 },
    locale: "en",
    timezoneId: "Europe/Copenhagen",
    reducedMotion: "reduce",
  });
  const tokens = {
    access_token: token,
    token_type: "Bearer",
    refresh_token: "",
    expires_in: 86_400,
    expires: Date.now() + 86_400_000,
    hassUrl: url,
    clientId: `${url}/`,
  };
  await browser.addInitScript((value) => {
    localStorage.setItem("hassTokens", value);
    localStorage.setItem("selectedLanguage", '"en"');
    localStorage.setItem("dockedSidebar", '"always_hidden"');
  }, JSON.stringify(tokens));
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(patience);
  return { browser, page, url, port };
}

async function take(page, name) {
  await page.waitForTimeout(800); // what slides and fades
  const file = `${images}/home-assistant-${name}.png`;
  await page.screenshot({ path: file, animations: "disabled" });
  const { size } = statSync(file);
  console.log(`${file}: ${size} bytes`);
  if (size > largest) throw new Error(`${file} is larger than ${largest} bytes`);
}

/** The dialog, from the form to the meter: as it goes for somebody whose head sits badly at first. */
async function addMeter(stage, page, url, port) {
  await stage.order("line", "silent");
  await page.goto(`${url}/config/integrations/dashboard/add?domain=kamstrup_403`);
  await page.getByRole("button", { name: "OK" }).click();
  await page.locator("ha-selector-serial_port ha-picker-field").click();
  await page.getByText("Enter manually").click();
  const field = page.locator("ha-selector-serial_port input");
  await field.fill(port);
  await take(page, "form");

  const next = page.getByRole("button", { name: "Submit" });
  await next.click();
  await page.getByText("Asking the meter").waitFor();
  await take(page, "asking");

  await page.getByText("No answer yet").waitFor();
  await take(page, "silent");

  await next.click();
  await page.getByText("Move the head slowly").waitFor();
  await stage.order("line", "noise");
  await page.getByText("Shade the head").waitFor();
  await take(page, "align");

  await stage.order("line", "good");
  await page.getByText("Serial number").waitFor();
  await take(page, "found");
  await next.click();
  await page.getByRole("button", { name: /finish/i }).click();
}

async function showDevice(stage, page, url) {
  const { id } = await stage.order("device");
  await page.setViewportSize({ width: 1000, height: 1000 });
  await page.goto(`${url}/config/devices/device/${id}`);
  await page.getByText("Heat Energy (E1)", { exact: true }).first().waitFor();
  await page.waitForTimeout(3000);
  await take(page, "device");
}

async function showEnergy(stage, page, url) {
  await stage.order("history");
  await page.setViewportSize({ width: 1000, height: 760 });
  await page.goto(`${url}/energy`);
  await page.locator("hui-energy-gas-graph-card canvas").first().waitFor();
  await page.waitForTimeout(3000);
  await take(page, "energy");
}

const profile = mkdtempSync(join(tmpdir(), "heatmeter-chromium-"));
mkdirSync(images, { recursive: true });
const stage = new Stage();
let browser;
try {
  const opened = await open(stage, profile);
  browser = opened.browser;
  const { page, url, port } = opened;
  await addMeter(stage, page, url, port);
  await showDevice(stage, page, url);
  await showEnergy(stage, page, url);
} catch (error) {
  await browser?.pages()[0]?.screenshot({ path: join(tmpdir(), "heatmeter-screenshot.png") });
  throw error;
} finally {
  await browser?.close();
  stage.end();
  rmSync(profile, { recursive: true, force: true });
}
