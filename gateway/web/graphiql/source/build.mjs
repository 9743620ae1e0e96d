// Bundles GraphiQL, so that the page needs no network: npm install && npm run build -- [OUTPUT]
// It writes gzipped files for ../static (the default). Run it where node_modules may lie, such as in a copy of this folder
// outside the repository, and name the output folder.
import * as esbuild from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const here = import.meta.dirname;
const output = resolve(process.argv[2] ?? join(here, "..", "static"));

/** Leaves out what the page never uses: two thirds of the editor's features, and embedded fonts. */
const slim = {
  name: "slim",
  setup(build) {
    const ours = { "edcore.main.js": "editor.js", "prettier/standalone": "prettify.js" };
    build.onResolve({ filter: /edcore\.main\.js$/ }, () => ({ path: join(here, ours["edcore.main.js"]) }));
    build.onResolve({ filter: /^prettier\/standalone$/ }, (request) =>
      request.importer.endsWith("prettify.js") ? undefined : { path: join(here, ours["prettier/standalone"]) },
    );
    // prettify.js needs none of the plugins that GraphiQL would hand it.
    build.onResolve({ filter: /^prettier\/(parser-babel|parser-graphql|plugins\/(estree|graphql))$/ }, (request) =>
      request.importer.endsWith("prettify.js") ? undefined : { path: request.path, namespace: "empty" },
    );
    build.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "export const printers = {}, parsers = {};" }));
    // GraphiQL's stylesheet holds the editor's already.
    build.onLoad({ filter: /monaco-editor.*\.css$/ }, () => ({ contents: "", loader: "css" }));
    build.onLoad({ filter: /graphiql\/dist\/style\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(/@font-face\s*\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: {
    graphiql: "graphiql.jsx",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
  },
  outdir: output,
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  legalComments: "none", // LICENSES.txt has them whole.
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "file" },
  assetNames: "[name]",
  chunkNames: "chunk-[hash]",
  plugins: [slim],
  metafile: true,
  write: false,
});

/** The packages whose code went in, each with its licence. */
function licences(inputs) {
  const folders = new Set();
  for (const path of inputs) {
    const found = path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
    if (found) folders.add(join(here, found[1]));
  }
  return [...folders].sort().map((folder) => {
    const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${about.license}`;
    return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
  });
}

const used = new Set();
for (const made of Object.values(result.metafile.outputs)) {
  for (const [path, part] of Object.entries(made.inputs)) if (part.bytesInOutput > 0) used.add(path);
}

if (existsSync(output)) rmSync(output, { recursive: true });
mkdirSync(output, { recursive: true });
let total = 0;
for (const file of result.outputFiles) {
  if (file.contents.length === 0) continue;
  if (dirname(file.path) !== output) throw new Error(`${file.path} would not lie flat in ${output}`);
  const packed = gzipSync(file.contents, { level: 9 });
  writeFileSync(join(output, `${basename(file.path)}.gz`), packed);
  total += packed.length;
}
writeFileSync(join(output, "favicon.svg.gz"), gzipSync(readFileSync(join(here, "favicon.svg")), { level: 9 }));
writeFileSync(join(output, "LICENSES.txt"), licences(used).join(`\n${"-".repeat(100)}\n\n`));
// A test compares it with the sources, so that neither changes without the other.
const sources = readdirSync(here).filter((name) => !["node_modules", "package-lock.json"].includes(name));
const digest = createHash("sha256");
for (const name of sources.sort()) digest.update(readFileSync(join(here, name)));
writeFileSync(join(output, "SOURCES.sha256"), `${digest.digest("hex")}\n`);
console.log(`${readdirSync(output).length} files, ${Math.round(total / 1024)} KiB`);
