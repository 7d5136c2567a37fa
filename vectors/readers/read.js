// A second reader of the test vectors, written from spec/PROTOCOL.md alone: it shares no code with the program.
//
//   node read.js VECTORS LISTS [NAME...]
//
// LISTS is the folder of the BIP-39 reference implementation's word lists, one file a language; NAME a file under
// VECTORS without its ending, all when there is none.
//
// It prints a line for each file that it reads otherwise than the file says, then how many were as they should be;
// it ends with 1 when one was not. It first reads what others published: HPKE with our suite, and X-Wing.

import { readFileSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Refused } from "./bytes.js";
import { GOOD, SHOWN, WAYS, equal } from "./kinds.js";
import { Lists } from "./words.js";

const PUBLISHED = ["hpke", "xwing"];

/** Names of all scenarios below a folder: published ones first. */
function names(folder) {
  const below = (part) => readdirSync(join(folder, part)).filter((name) => name.endsWith(".json")).map((name) => join(part, name));
  const all = [...below("."), ...below("bad")].map((name) => name.replace(/\.json$/, "")).sort();
  return [...PUBLISHED, ...all.filter((name) => !PUBLISHED.includes(name))];
}

/** Reads a bad one: nothing when it is refused by its layer. */
function readBad(vector, tools) {
  try {
    WAYS[vector.way](vector, tools);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    equal(error.layer, vector.layer, `it says "${error.message}"`);
    return;
  }
  throw new Error(`it was taken, the vector says: refused by ${vector.layer}`);
}

/** Reads one scenario, and throws when it is not as the scenario says. */
function read(name, vector, tools) {
  const known = vector.way in WAYS || name in GOOD;
  if (!known) throw new Error("no reader for this kind of vector");
  if (name.startsWith("bad/")) return readBad(vector, tools);
  if (name in GOOD) return GOOD[name](vector, tools);
  const shown = WAYS[vector.way](vector, tools);
  return SHOWN.filter((field) => field in vector).forEach((field) => equal(shown[field], vector[field], field));
}

/** What it says to the scenarios of a folder, a line each, the last one how many were right; and whether all were. */
export function readAll(folder, lists, ...wanted) {
  const tools = { lists: new Lists(lists) };
  const lines = [];
  let right = 0;
  for (const name of wanted.length ? [...PUBLISHED, ...wanted] : names(folder)) {
    try {
      read(name, JSON.parse(readFileSync(join(folder, `${name}.json`), "utf-8")), tools);
      right += 1;
    } catch (error) {
      lines.push(`WRONG ${name}: ${error.message}`);
      if (PUBLISHED.includes(name)) break; // then nothing else that it says is worth anything
    }
  }
  return { lines: [...lines, `${right} right`], good: lines.length === 0 };
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { lines, good } = readAll(...process.argv.slice(2));
  console.log(lines.join("\n"));
  process.exitCode = good ? 0 : 1;
}
