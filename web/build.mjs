// Builds the page into dist/: one bundle, and a piece for each language. Fails when all of it, compressed,
// is more than the page may be.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";

const LARGEST = 150_000; // bytes, compressed, of everything together

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
  logLevel: "info",
});
const css = await esbuild.transform(await readFile("src/page.css", "utf8"), { loader: "css", minify: true });
await writeFile("dist/page.css", css.code);
await cp("src/icon.svg", "dist/icon.svg");
await cp("index.html", "dist/index.html");

let sum = 0;
for (const name of (await readdir("dist")).sort()) {
  const size = gzipSync(await readFile(`dist/${name}`), { level: 9 }).length;
  console.log(`${String(size).padStart(8)}  ${name}`);
  sum += size;
}
console.log(`${String(sum).padStart(8)}  compressed in all; ${LARGEST} at most`);
if (sum > LARGEST) {
  console.error(`error: the page has grown to ${sum} bytes, compressed`);
  process.exitCode = 1;
}
