// The passphrase as words and numbers (spec 2).

import { readFileSync } from "node:fs";
import { join as path } from "node:path";

import { sha256, toBig, uint } from "./bytes.js";

/** Typed words that are no passphrase: count, unknown or checksum. */
export class PhraseError extends Error {
  constructor(kind, { count = 0, place = 0 } = {}) {
    super(kind);
    Object.assign(this, { kind, count, place });
  }
}

/** The word lists: plain data, one word a line, from the BIP-39 reference implementation. */
export class Lists {
  constructor(folder) {
    this.folder = folder;
    this.loaded = new Map();
  }

  of(language) {
    if (!this.loaded.has(language)) {
      const text = readFileSync(path(this.folder, `${language}.txt`), "utf-8");
      this.loaded.set(language, text.split("\n").map((word) => word.trim()).filter(Boolean));
    }
    return this.loaded.get(language);
  }

  /** k English words of a hash (spec 2.5). */
  ofHash(hash, count) {
    return placesOf(toBig(hash) >> BigInt(hash.length * 8 - 11 * count), count).map((place) => this.of("english")[place]);
  }
}

/** Groups of 11 bits, the most significant first. */
const placesOf = (bits, count) =>
  Array.from({ length: count }, (_, at) => Number((bits >> BigInt(11 * (count - 1 - at))) & 0x7ffn));

/** The twelve places of mk(16) in a list (spec 2.2). */
export const places = (mk) => placesOf((toBig(mk) << 4n) | BigInt(sha256(mk)[0] >> 4), 12);

/** The twelve numbers (spec 2.3). */
export const numbers = (mk) => places(mk).map((place) => String(place + 1).padStart(4, "0"));

/** NFKD, then case-folded: JavaScript has no case folding, but letter by letter upper then lower is the same here,
 *  except for the Turkish dotless i, which folding leaves alone. */
const plain = (text) =>
  [...text.normalize("NFKD")].map((letter) => (letter === "ı" ? letter : letter.toUpperCase().toLowerCase())).join("");

/** The value of a decimal digit of any script: they lie in runs of ten. */
function digit(letter) {
  const code = letter.codePointAt(0);
  let zero = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (code - zero) % 10;
}

/** mk of what a person typed (spec 2.4). */
export function parse(typed, list) {
  const tokens = plain(typed).replaceAll(/[,;\u060c\u061b\u3001]/g, " ").split(/\p{White_Space}+/u).filter(Boolean);
  if (tokens.length !== 12) throw new PhraseError("count", { count: tokens.length });
  const known = new Map(list.map((word, place) => [plain(word), place]));
  const found = tokens.map((token, at) => placeOf(token, known, at + 1));
  const bits = found.reduce((all, place) => (all << 11n) | BigInt(place), 0n);
  const mk = uint(bits >> 4n, 16);
  if (places(mk)[11] !== found[11]) throw new PhraseError("checksum");
  return mk;
}

function placeOf(token, known, place) {
  const letters = [...token];
  if (letters.length <= 4 && letters.every((letter) => /^\p{Nd}$/u.test(letter))) {
    const number = letters.reduce((value, letter) => 10 * value + digit(letter), 0);
    if (number >= 1 && number <= 2048) return number - 1;
  }
  if (!known.has(token)) throw new PhraseError("unknown", { place });
  return known.get(token);
}
