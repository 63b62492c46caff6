// Builds the pages into the Python package, or, with --tests, the unit tests into build/tests.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What is text is also written compressed, once and as small as it can be. */
const TEXT = /\.(js|css|svg|html)$/;
const SMALLEST = 600;

async function compress(path) {
  const body = await readFile(path);
  if (!TEXT.test(path) || body.length < SMALLEST) return;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
  };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(body, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(body, { level: 9 }));
}

async function tests() {
  const names = readdirSync(here("tests")).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: names.map((name) => here(`tests/${name}`)),
    outdir: here("build/tests"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    sourcemap: "inline",
  });
}

/** The farmer's page: HTML comes from the service, which reads here what goes with it. */
async function farm(out) {
  const result = await build({
    write: false,
    entryPoints: { farm: here("farm/farm.ts"), farmstyle: here("farm/farm.css") },
    outdir: `${out}/assets`,
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es5", "chrome40"], // a telephone of 2015 that was never brought up to date
    metafile: true,
  });
  const worker = await build({
    write: false, // at an address without a hash: browsers ask for a new one by themselves
    entryPoints: { "farm-sw": here("farm/sw.ts") },
    outdir: out,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome55", "firefox60", "safari16"],
  });
  const named = (suffix) =>
    `/assets/${basename(result.outputFiles.find(({ path }) => path.endsWith(suffix)).path)}`;
  const outputFiles = [...result.outputFiles, ...worker.outputFiles];
  return { ...result, outputFiles, manifest: JSON.stringify({ css: named(".css"), js: named(".js") }) };
}

/** What is loaded when it is needed: pages beside the wall, and what draws the wall's curve. */
const LATER = ["src/routes.ts", "src/wall.ts"];

/**
 * esbuild cuts what several pages share by who needs it, into many small files that a browser hears
 * of one after the other. So each of them says that it needs all that the wall needs, which is there
 * by then, and that is one file.
 */
const together = {
  name: "what the wall needs is one file",
  setup({ onLoad }) {
    const texts = LATER.map((path) => readFileSync(here(path), "utf8"));
    const found = texts.flatMap((text) => [...text.matchAll(/import\("\.\/(\w+)\.ts"\)/g)]);
    const filter = new RegExp(`/src/(${found.map(([, name]) => name).join("|")})\\.ts$`);
    onLoad({ filter }, async ({ path }) => {
      return { contents: `${await readFile(path, "utf8")}\nimport "./main.ts";\n`, loader: "ts" };
    });
  },
};

/** That file: the entry itself does nothing but name it, and the page does so too. */
function wallOf(outputs) {
  const entry = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint?.endsWith("src/main.ts"));
  const named = entry[1].imports.filter(({ kind }) => kind === "import-statement");
  if (named.length !== 1) throw new Error(`the wall is cut into ${named.length} files`);
  return { entry: entry[0], wall: named[0].path };
}

async function pages() {
  const out = here("../api/pages");
  const result = await build({
    write: false, // a source that does not build must not take away the pages that are there
    entryPoints: {
      ...{ app: here("src/main.ts"), style: here("src/style.css") },
      mapstyle: here("src/mapstyle.css"), // loaded by the map's page alone
    },
    outdir: `${out}/assets`,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    plugins: [together],
    minify: true,
    format: "esm",
    target: ["es2022", "chrome100", "firefox100", "safari15.4"],
    loader: { ".woff2": "file", ".svg": "file", ".png": "file" },
    alias: { leaflet: "leaflet/dist/leaflet-src.esm.js" }, // what is not used is left out
    metafile: true,
    legalComments: "linked",
  });
  const icon = await build({
    write: false,
    entryPoints: { icon: here("src/icon.svg") },
    outdir: `${out}/assets`,
    entryNames: "[name]-[hash]",
    loader: { ".svg": "copy" },
    metafile: true,
  });
  const farmer = await farm(out);
  await rm(out, { recursive: true, force: true });
  await mkdir(`${out}/assets`, { recursive: true });
  for (const { path, contents } of [...result.outputFiles, ...icon.outputFiles, ...farmer.outputFiles]) {
    await writeFile(path, contents);
  }
  await writeFile(`${out}/farm.json`, farmer.manifest);
  const others = [result, icon, farmer].map(({ metafile }) => metafile.outputs);
  const outputs = Object.assign({}, ...others);
  const { entry, wall } = wallOf(outputs);
  await rm(`${out}/assets/${basename(entry)}`);
  delete outputs[entry];
  let page = await readFile(here("src/index.html"), "utf8");
  page = page.replaceAll("{{wall.js}}", `/assets/${basename(wall)}`);
  for (const path of Object.keys(outputs)) {
    const name = basename(path);
    const stem = name.replace(/-[A-Z0-9]{8}(?=\.)/, "");
    page = page.replaceAll(`{{${stem}}}`, `/assets/${name}`);
  }
  const missing = page.match(/\{\{.*?\}\}/);
  if (missing) throw new Error(`index.html names ${missing[0]}, which was not built`);
  await writeFile(`${out}/index.html`, page);
  const names = Object.keys(outputs).map((path) => `${out}/assets/${basename(path)}`);
  await Promise.all([`${out}/index.html`, ...names].map(compress));
  for (const [path, output] of Object.entries(outputs)) {
    console.log(`${String(output.bytes).padStart(8)}  ${basename(path)}`);
  }
}

await (process.argv.includes("--tests") ? tests() : pages());
