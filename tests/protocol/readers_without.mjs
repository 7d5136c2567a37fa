// Runs copies of the second reader in one process: standard input is JSON, [[folder of a copy, VECTORS, LISTS, NAME...], ...].

import { readFileSync } from "node:fs";

for (const [folder, ...words] of JSON.parse(readFileSync(0, "utf-8"))) {
  const { readAll } = await import(`${folder}/read.js`);
  console.log(JSON.stringify(readAll(...words)));
}
