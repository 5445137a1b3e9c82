// Real programs around the page: the gateway, simulated meters, a broker. Each ends with its test.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { until } from "./browser.mjs";

const heatmeter = process.env.HEATMETER ?? "target/debug/heatmeter";

/** A folder that goes away with the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "heatmeter-page-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A TCP port of the loopback interface that nobody uses now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A program, killed by its id at the end of the test. What it says is kept for messages. */
export function start(t, command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    ...options,
  });
  child.said = "";
  child.on("error", (error) => (child.said += `${command}: ${error.message}`));
  child.stderr?.on("data", (data) => (child.said += data));
  child.ended = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  t.after(async () => {
    child.kill("SIGKILL");
    await child.ended;
  });
  return child;
}

/** Runs a program to its end. */
export async function run(t, ...args) {
  const child = start(t, heatmeter, args, {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  child.stdout.on("data", (data) => (out += data));
  const code = await child.ended;
  return { code, out, err: child.said };
}

/** A simulated meter whose faults can be switched while it runs. */
export async function simulate(t, ...options) {
  const args = ["simulate", "--model", "403", "--tcp", "127.0.0.1:0", "--start", "now", "--orders"];
  const child = start(t, heatmeter, [...args, ...options]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    assert.ok(!done, `the meter has ended: ${child.said}`);
    return JSON.parse(value);
  };
  const { listening } = await answer();
  return {
    port: listening,
    async order(line) {
      child.stdin.write(`${line}\n`);
      const said = await answer();
      assert.ok(said.done, JSON.stringify(said));
    },
  };
}

/** A gateway with this configuration, or none; ready when it is handed out. */
export async function gateway(t, toml = null, { token } = {}) {
  const home = folder(t);
  const config = join(home, "heatmeter.toml");
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const head = [`listen = "${listen}"`, `time_zone = "Europe/Copenhagen"`];
  if (token) {
    writeFileSync(join(home, "token"), `${token}\n`, { mode: 0o600 });
    head.push(`[web]`, `token_file = "${join(home, "token")}"`);
  }
  const history = `[history]\npath = "${join(home, "history.sqlite")}"`;
  if (toml !== null) writeFileSync(config, [...head, history, toml, ""].join("\n"));
  const environment = {
    ...process.env,
    XDG_STATE_HOME: home,
    XDG_DATA_HOME: home,
    XDG_CONFIG_HOME: home,
  };
  const launch = () => {
    const args = ["run", "--config", config, ...(toml === null ? ["--listen", listen] : [])];
    return start(t, heatmeter, args, { cwd: home, env: environment });
  };
  const made = {
    address: `http://${listen}/`,
    port,
    home,
    config,
    child: launch(),
  };
  const ready = () =>
    until(`the gateway is up (${made.child.said})`, async () => {
      const answer = await fetch(`${made.address}healthz`).catch(() => null);
      return answer !== null;
    });
  made.stop = async () => {
    made.child.kill("SIGTERM");
    await made.child.ended;
  };
  made.start = async () => {
    made.child = launch();
    await ready();
  };
  await ready();
  return made;
}

/** mosquitto on a free port, open to everybody on this machine. */
export async function mosquitto(t) {
  const home = folder(t);
  const port = await freePort();
  const config = join(home, "mosquitto.conf");
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  const child = start(t, "mosquitto", ["-c", config]);
  await until(`mosquitto is up (${child.said})`, () => /mosquitto version .* running/.test(child.said));
  return { port };
}
