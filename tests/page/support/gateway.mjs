// The real program for a test: a gateway, simulated meters that take orders, a broker, a reverse proxy.
// Each runs in a folder of its own on a free port of this machine, and ends with its test.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";

import { PATIENCE, until } from "./browser.mjs";

const HEATMETER =
  process.env.HEATMETER ?? new URL("../../../target/debug/heatmeter", import.meta.url).pathname;

/** What still runs ends with this process, however that ends. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A folder with what a program needs; once that has ended, it is gone, too. */
function folder(t, ended) {
  const path = mkdtempSync(join(tmpdir(), "heatmeter-page-"));
  t.after(async () => {
    await ended();
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

// Linux gives ports from 32,768 on to outgoing connections. Files that run at the same time begin at different places.
let tried = process.pid * 97;

/** A port that nobody listens on, and that nobody else is given while a server is away from it. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + (tried++ % 22_000);
    const server = createSocket();
    const isFree = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/**
 * A simulated meter; options are those of `heatmeter simulate`. `order` sends it a line such as `fault silence=1`
 * and waits until it is done.
 */
export async function meter(t, ...options) {
  const model = options.includes("--model") ? [] : ["--model", "403"];
  const front = options.includes("--pty") ? [] : ["--tcp", "127.0.0.1:0"];
  const child = start(HEATMETER, ["simulate", ...model, ...front, "--orders", ...options]);
  t.after(() => child.end());
  const { listening } = await child.line();
  const order = async (text) => {
    child.stdin.write(`${text}\n`);
    const answer = await child.line();
    if (!answer.done) throw new Error(`order ${text}: ${JSON.stringify(answer)}`);
  };
  return { port: listening, order };
}

/** The configuration of a gateway with a meter that is read every five seconds. */
export const house = (port, more = "") => `\
# My house

[[meter]]
name = "House"   # the one in the cellar
port = "${port}"
schedule = "every 5 s"
mains_powered = true
${more}`;

/**
 * A gateway with this configuration, which need not say where it listens; without one it is the first start.
 * `web` are more lines of its section `[web]`.
 */
export async function gateway(t, { config = "", web = "", port } = {}) {
  let child;
  let files = 0;
  const home = folder(t, () => child?.end());
  const file = join(home, "heatmeter.toml");
  const listen = port ?? (await freePort());
  const text = `# Kept by hand.\n[web]\nlisten = "127.0.0.1:${listen}"\n${web}\n${config}`;
  writeFileSync(file, text);
  const self = {
    address: `http://127.0.0.1:${listen}/`,
    file,
    /** What stands in the configuration now. */
    text: () => readFileSync(file, "utf8"),
    /** A file with this in it, beside the configuration. */
    beside(text) {
      const path = join(home, `file-${(files += 1)}`);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    async start() {
      child = start(HEATMETER, ["run", "--config", file, "--setup", "--json"]);
      await child.line();
    },
    end: (signal) => child.end(signal),
    /** Has it read its configuration again. */
    reload: () => child.signal("SIGHUP"),
  };
  await self.start();
  return self;
}

/** `heatmeter demo`: a house with thirteen months of history. */
export async function demo(t) {
  const child = start(HEATMETER, ["demo", "--json", "--port", String(await freePort())]);
  t.after(() => child.end());
  const { listening } = await child.line();
  return { address: `${listening}/` };
}

/** The same for a test file; its address is there once tests run. */
export function demoOfThisFile() {
  const self = { address: "" };
  const ends = [];
  before(async () => Object.assign(self, await demo({ after: (end) => ends.push(end) })));
  after(() => Promise.all(ends.map((end) => end())));
  return self;
}

/** For a script: what is started for `t` ends with the work. */
export async function staged(work) {
  const ends = [];
  try {
    await work({ after: (end) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Runs the program to its end; answers its exit code and what it said. */
export async function run(...args) {
  const child = start(HEATMETER, args);
  return { code: await child.ended, said: child.said() };
}

/** A real mosquitto that lets in who knows this password. */
export async function mosquitto(t, user, password) {
  let child;
  const home = folder(t, () => child?.end());
  const port = await freePort();
  const passwords = join(home, "passwords");
  await start("mosquitto_passwd", ["-b", "-c", passwords, user, password]).ended;
  const settings = [
    `listener ${port} 127.0.0.1`,
    "user root",
    "allow_anonymous false",
    `password_file ${passwords}`,
  ];
  writeFileSync(join(home, "mosquitto.conf"), `${settings.join("\n")}\n`);
  child = start("mosquitto", ["-c", join(home, "mosquitto.conf")]);
  await until("mosquitto listens", () => reachable(port));
  return { port };
}

/** A reverse proxy that shows the gateway below a path, and cuts it off or leaves it. */
export async function proxy(t, behind, path, { cuts }) {
  const server = createServer((asked, answer) => {
    if (!asked.url.startsWith(`${path}/`)) {
      answer.writeHead(404).end();
      return;
    }
    const url = new URL(cuts ? asked.url.slice(path.length) : asked.url, behind);
    const headers = { ...asked.headers, host: url.host, "x-forwarded-host": asked.headers.host };
    const passed = request(url, { method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${server.address().port}${path}/`;
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** A program. `line` waits for the next line it prints, which is JSON. */
function start(command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  running.add(child);
  let said = "";
  const take = (text) => (said = (said + text).slice(-20_000));
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  child.stdin.on("error", () => {}); // it may have ended
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => {
    child.on("error", (error) => take(error.message));
    child.on("close", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const end = async (signal = "SIGTERM") => {
    child.kill(signal);
    const mercy = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    await ended;
    clearTimeout(mercy);
  };
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args.join(" ")} has ended: ${said}`);
    return JSON.parse(value);
  };
  const signal = (name) => child.kill(name);
  return { stdin: child.stdin, line, ended, end, signal, said: () => said };
}
