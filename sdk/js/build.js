#!/usr/bin/env node
// Builds the worker in this folder, for node: from the `main` of its package.json (worker.js, if it names none) to a
// component that bears its name. The engine inside is QuickJS, or what `"flyball": { "engine": … }` says there.

import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const WIT = fileURLToPath(new URL("wit", import.meta.url));
const ENGINES = { quickjs, starlingmonkey };

async function build() {
  const { name, main = "worker.js", flyball: { engine = "quickjs" } = {} } = await read("package.json");
  if (!Object.hasOwn(ENGINES, engine)) {
    throw `package.json: there is no engine ${JSON.stringify(engine)}; it may be ${Object.keys(ENGINES).join(" or ")}`;
  }
  if (typeof name !== "string") throw "package.json: it has no name, which is the kind of the worker";
  await writeFile(`${name}.wasm`, await ENGINES[engine](resolve(main)));
}

/** It reads modules as node does, with what they import. */
async function quickjs(entry) {
  const { componentize } = await tool("componentize-qjs");
  const jsSource = await readFile(entry, "utf8");
  const { component } = await componentize({
    witPath: WIT, world: "worker", jsPath: entry, jsSource, moduleRoot: process.cwd(), sync: true,
  });
  return component;
}

/** It knows no packages: what the worker imports is put into one file, which stays for those who read a stack. */
async function starlingmonkey(entry) {
  const { componentize } = await tool("@bytecodealliance/componentize-js");
  const bundler = await tool("esbuild");
  const bundled = resolve("node_modules/.flyball/worker.js");
  await bundler.build({
    entryPoints: [entry], outfile: bundled, bundle: true, format: "esm", platform: "browser", target: "es2022",
    external: ["flyball:*"], logLevel: "warning",
  });
  const { component } = await componentize({
    witPath: WIT, worldName: "worker", sourcePath: bundled, disableFeatures: ["http", "fetch-event"],
  });
  return component;
}

async function tool(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    const { dependencies, peerDependencies } = await read(new URL("package.json", import.meta.url));
    // The engines need packages of their own; componentize-js needs one that it does not ask for by itself.
    const needed = Object.hasOwn(dependencies, name) ? dependencies : peerDependencies;
    const versions = Object.entries(needed).map(([name, version]) => `${name}@${version}`);
    throw `${error.message}\nWhat this engine needs is brought by: npm install --save-dev ${versions.join(" ")}`;
  }
}

async function read(file) {
  return JSON.parse(await readFile(file, "utf8"));
}

await build().catch((error) => {
  console.error(typeof error === "string" ? error : error.stack);
  process.exitCode = 1;
});
