// Plaintexts of envelopes, and bodies (spec 5.1 to 5.5, 6.2 to 6.5).

import { isBytes, isZero, join, must, sha256, toNumber } from "./bytes.js";
import { read } from "./cbor.js";

export const TO_DESK = 0;
export const TO_SOURCE = 1;
export const ENVELOPE = 8192;
const PLAINTEXT = 7056;
const BODY_MOST = 112512;
const LATER = { layout: [], start: 24 };
const FIRST = {
  [TO_DESK]: {
    layout: [["bodyHash", 24, 56], ["rosterHash", 56, 88], ["kem", 88, 1304], ["dh", 1304, 1336], ["c", 1336, 1368]]
      .concat([["seen", 1368, 1624], ["macs", 1624, 1880]]),
    start: 1880,
    macs: [1624, 1880],
  },
  [TO_SOURCE]: {
    layout: [["bodyHash", 24, 56], ["received", 56, 58], ["newest", 58, 62], ["mac", 62, 78]],
    start: 78,
    macs: [62, 78],
  },
};

/** The fields of a plaintext; refused by header when they can't be (spec 5.1). */
export function decode(plain, direction) {
  must(plain.length === PLAINTEXT, "header", "it has another size");
  const [version, way, part, parts] = plain;
  const [length, slot, n, messageId] = [toNumber(plain.subarray(4, 6)), plain[6], plain[7], plain.slice(8, 24)];
  must(version === 1, "header", "another version");
  must(way === direction, "header", "it goes the other way");
  must(parts >= 1 && parts <= 16, "header", "so many parts can't be");
  must(part < parts, "header", "a part beyond the last");
  must(direction === TO_DESK ? slot === 0 : slot <= 15, "header", "slot");
  must(direction === TO_DESK ? n === 0 : n <= 3, "header", "n");
  const { layout, start, macs } = part === 0 ? FIRST[direction] : LATER;
  must(length <= PLAINTEXT - start, "header", "a body beyond its room");
  must(isZero(plain.subarray(start + length)), "header", "what follows the body is not zero");
  const fields = Object.fromEntries(layout.map(([name, from, to]) => [name, plain.slice(from, to)]));
  const body = plain.slice(start, start + length);
  const digest = macs && sha256(join(plain.subarray(0, macs[0]), new Uint8Array(macs[1] - macs[0]), plain.subarray(macs[1])));
  return { direction, part, parts, slot, n, messageId, ...fields, body, digest, plain };
}

/** The bit of an answer in the bitmap of those that were seen (spec 5.5). */
export const seenBit = (today, epoch, slot, n) => 64 * (today + 1 - epoch) + 4 * slot + n;

/** The bits that are set. */
export const seenBits = (bitmap) => Array.from({ length: 2048 }, (_, bit) => bit).filter((bit) => (bitmap[bit >> 3] >> (bit & 7)) & 1);

/** Text and `after` of a body; other keys are kept and ignored. */
export function decodeBody(bytes) {
  const map = read(bytes, "body", BODY_MOST);
  must(map instanceof Map, "body", "no map");
  must([...map.keys()].every((key) => typeof key === "bigint"), "body", "a key that is no integer");
  const [text, after] = [map.get(0n), map.get(4n)];
  must(typeof text === "string", "body", "no text");
  must(!map.has(4n) || isBytes(after, 16), "body", "what it came after is no message id");
  return { text, after: after ?? null };
}
