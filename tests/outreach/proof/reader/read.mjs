// Reads the C2PA manifests of the files that are named, by another program than the one that wrote them: a line of JSON each.
import * as fs from "node:fs/promises";
import { BMFF, JPEG, PNG } from "@trustnxt/c2pa-ts/asset";
import { SuperBox } from "@trustnxt/c2pa-ts/jumbf";
import { ManifestStore } from "@trustnxt/c2pa-ts/manifest";

BMFF.canReadBrands.add("isom"); // what ffmpeg calls its MP4

async function read(path) {
  const bytes = await fs.readFile(path);
  const kind = [JPEG, PNG, BMFF].find((each) => each.canRead(bytes));
  const asset = new kind(bytes);
  const store = asset.getManifestJUMBF();
  if (!store) return { valid: false, codes: ["none"] };
  const manifests = ManifestStore.read(SuperBox.fromBuffer(store));
  const result = await manifests.validate(asset);
  const active = manifests.getActiveManifest();
  const labels = active.assertions.assertions.map((each) => each.fullLabel ?? each.label);
  return { valid: result.isValid, codes: result.statusEntries.map((each) => each.code), labels, title: active.claim.title };
}

for (const path of process.argv.slice(2)) {
  const said = await read(path).catch((error) => ({ valid: false, codes: [`error: ${error.message}`] }));
  console.log(JSON.stringify(said));
}
