// Bytes, and how a reader refuses them (spec 1.1).

import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

export { sha256 };
export const hex = bytesToHex;
export const unhex = hexToBytes;

/** What a reader says of bytes it doesn't take: the layer, and why. */
export class Refused extends Error {
  constructor(layer, why) {
    super(`refused by ${layer}: ${why}`);
    this.layer = layer;
  }
}

/** Refuses unless it holds. */
export function must(holds, layer, why) {
  if (!holds) throw new Refused(layer, why);
}

/** Runs it; whatever a library throws there becomes a refusal by this layer. */
export function orRefuse(layer, why, run) {
  try {
    return run();
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(layer, `${why} (${error.message})`);
  }
}

/** Joins bytes; texts stand for their UTF-8, which is ASCII for the spec's labels. */
export function join(...items) {
  return concatBytes(...items.map((item) => (typeof item === "string" ? utf8ToBytes(item) : item)));
}

/** An unsigned big-endian integer in `size` bytes. */
export function uint(value, size) {
  const bytes = new Uint8Array(size);
  for (let at = size - 1, rest = BigInt(value); at >= 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return bytes;
}

/** The unsigned big-endian integer that these bytes are, as a BigInt. */
export const toBig = (bytes) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** The same as a Number: for at most six bytes. */
export const toNumber = (bytes) => Number(toBig(bytes));

export const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
export const isBytes = (value, size) => value instanceof Uint8Array && value.length === size;
export const isZero = (bytes) => bytes.every((byte) => byte === 0);

/** HKDF-SHA256. */
export const derive = (ikm, salt, info, length) => hkdf(sha256, ikm, join(salt), join(info), length);
export const hmac256 = (key, ...items) => hmac(sha256, key, join(...items));
export const hmac512 = (key, ...items) => hmac(sha512, key, join(...items));

/** Whether an Ed25519 signature is right. */
export function isEd25519(key, signature, message) {
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false; // no key, or no signature
  }
}
