// Builds the page into dist/: one bundle, and a piece for each language. Fails when all of it, compressed,
// is more than the page may be.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";

const LARGEST = 150_000; // bytes, compressed, of everything together

/** What verdicts say in a language: it stands in scripts/texts, for Home Assistant and for this page. */
async function verdicts(language) {
  const toml = await readFile(`../scripts/texts/${language}.toml`, "utf8");
  const texts = {};
  let code = "";
  for (const line of toml.split("\n")) {
    const section = /^\[(?:verdict\.)?(.+)\]$/.exec(line);
    if (section) code = line.startsWith("[verdict.") ? section[1] : "";
    // Who holds the port is said in English only; the page says that somebody does.
    const pair = /^(?:(port_busy_unknown)\.)?(message|help) = (".*")$/.exec(line);
    if (!pair || (code === "" && pair[1] === undefined)) continue;
    const [, busy, part, text] = pair;
    const said = JSON.parse(text)
      .replaceAll("Home Assistant", "heatmeter")
      .replace(/ ?\{detail\}/, "");
    texts[`${busy ? "port_busy" : code}.${part}`] = busy ? `${said}.` : said;
  }
  return texts;
}

const verdictTexts = {
  name: "verdicts",
  setup(build) {
    build.onResolve({ filter: /^verdicts:/ }, ({ path }) => ({ path: path.slice(9), namespace: "verdicts" }));
    build.onLoad({ filter: /.*/, namespace: "verdicts" }, async ({ path }) => ({
      contents: JSON.stringify(await verdicts(path)),
      loader: "json",
    }));
  },
};

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await esbuild.build({
  entryPoints: { page: "src/main.ts" },
  outdir: "dist",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  charset: "utf8",
  loader: { ".css": "text" },
  conditions: ["production"],
  plugins: [verdictTexts],
  logLevel: "warning",
});
const css = await esbuild.transform(await readFile("src/page.css", "utf8"), { loader: "css", minify: true });
await writeFile("dist/page.css", css.code);
await cp("src/icon.svg", "dist/icon.svg");
await cp("index.html", "dist/index.html");

// Each file is also there compressed, for whoever takes it like that.
let sum = 0;
for (const name of (await readdir("dist")).sort()) {
  const packed = gzipSync(await readFile(`dist/${name}`), { level: 9 });
  await writeFile(`dist/${name}.gz`, packed);
  console.log(`${String(packed.length).padStart(8)}  ${name}`);
  sum += packed.length;
}
console.log(`${String(sum).padStart(8)}  compressed in all; ${LARGEST} at most`);
if (sum > LARGEST) {
  console.error(`error: the page has grown to ${sum} bytes, compressed`);
  process.exitCode = 1;
}
