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

/** NFKD, then case-folded, without marks and what can't be seen: JavaScript has no case folding, but letter by letter
 *  upper then lower is the same here, except for the Turkish dotless i, which folding leaves alone. */
const plain = (text) =>
  [...text.normalize("NFKD")]
    .map((letter) => (letter === "ı" ? letter : letter.toUpperCase().toLowerCase()))
    .join("")
    .replaceAll(/(?![\u3099\u309a])[\p{Mn}\p{Cf}]/gu, "");

/** What was typed, in pieces (spec 2.4.1). */
function pieces(typed) {
  const apart = plain(typed.replaceAll(/[\u200b\p{P}]/gu, " ")).replaceAll(/[\u4e00-\u9fff]/gu, " $& ");
  const tokens = apart.split(/\p{White_Space}+/u).filter(Boolean);
  return tokens.length === 1 && /^\p{Nd}{48}$/u.test(tokens[0]) ? tokens[0].match(/.{4}/gu) : tokens;
}

/** The value of a decimal digit of any script: they lie in runs of ten. */
function digit(letter) {
  const code = letter.codePointAt(0);
  let zero = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (code - zero) % 10;
}

/** mk of what a person typed, with lists in their order (spec 2.4). */
export function parse(typed, ...lists) {
  const known = lists.map((list) => new Map(list.map((word, place) => [plain(word), place])));
  const tokens = once(pieces(typed), known);
  if (tokens.length !== 12) throw new PhraseError("count", { count: tokens.length });
  const found = tokens.map((token, at) => placeOf(token, known));
  if (found.includes(undefined)) throw new PhraseError("unknown", { place: found.indexOf(undefined) + 1 });
  const bits = found.reduce((all, place) => (all << 11n) | BigInt(place), 0n);
  const mk = uint(bits >> 4n, 16);
  if (places(mk)[11] !== found[11]) throw new PhraseError("checksum");
  return mk;
}

/** Without a place or the same word before each (spec 2.4.2). */
function once(tokens, known) {
  if (tokens.length !== 24) return tokens;
  const found = tokens.map((token) => placeOf(token, known));
  const pairs = Array.from({ length: 12 }, (_, at) => [found[2 * at], found[2 * at + 1]]);
  const placed = pairs.every(([before], at) => before === at);
  const doubled = pairs.every(([before, after]) => before !== undefined && before === after);
  return placed || doubled ? tokens.filter((_, at) => at % 2 === 1) : tokens;
}

/** The place of a word or number; undefined when it is neither (spec 2.4.3). */
function placeOf(token, known) {
  const letters = [...token];
  if (letters.length <= 4 && letters.every((letter) => /^\p{Nd}$/u.test(letter))) {
    const number = letters.reduce((value, letter) => 10 * value + digit(letter), 0);
    return number >= 1 && number <= 2048 ? number - 1 : undefined;
  }
  return known.find((list) => list.has(token))?.get(token);
}
