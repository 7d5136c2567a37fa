// Keys of a source, pairwise keys, tags and what an envelope is bound to (spec 3, 4, 5.6).

import { x25519 } from "@noble/curves/ed25519.js";

import { derive, hmac256, hmac512, join, orRefuse, sha256, uint } from "./bytes.js";
import { xwingKey } from "./hpke.js";

/** All keys of a source at one organisation (spec 3.1, 3.3, 3.4). */
export function sourceKeys(mk, org) {
  const made = (label) => derive(mk, "sottovoce/v1/source", join(label, org), 32);
  const [kemSeed, dhPrivate, c] = [made("kem"), made("dh"), made("conversation")];
  const [kem, dh] = [xwingKey(kemSeed), x25519.getPublicKey(dhPrivate)];
  return { org, kemSeed, kem, dhPrivate, dh, c, id: conversation(org, kem.public, dh, c) };
}

/** The conversation's id (spec 3.4). */
export const conversation = (org, kem, dh, c) => sha256(join("sottovoce/v1/conversation", org, kem, dh, c));

/** K_i from either end: one's own private key, the other's public one (spec 4.1). */
export function pairKey({ own, other, c, org, slot, member }) {
  const secret = orRefuse("authentication", "no X25519 secret", () => x25519.getSharedSecret(own, other));
  const key = derive(secret, c, join("sottovoce/v1/pair", org, uint(slot, 1), member), 64);
  return { tags: key.subarray(0, 32), macs: key.subarray(32) };
}

/** K_i at the source's end. */
export const sourcePair = (keys, slot, member) =>
  pairKey({ own: keys.dhPrivate, other: member, c: keys.c, org: keys.org, slot, member });

/** K_i at the member's end. */
export const memberPair = (device, { dh, c }, org, slot) =>
  pairKey({ own: device, other: dh, c, org, slot, member: x25519.getPublicKey(device) });

/** The four tags of an epoch (spec 4.2). */
export function answerTags(key, epoch) {
  const quarters = hmac512(key, "tag", uint(epoch, 4));
  return [0, 1, 2, 3].map((n) => quarters.subarray(16 * n, 16 * n + 16));
}

/** The tag of a later part (spec 4.3). */
export const partTag = (key, first, part) => hmac512(key, "part", first, uint(part, 1)).subarray(0, 16);

/** The epochs in which a source looks, newest first (spec 4.4). */
export const answerEpochs = (today) => Array.from({ length: 32 }, (_, age) => today + 1 - age);

/** What an envelope is bound to (spec 5.6). */
export const binding = (org, direction, epoch, tag) =>
  join("sottovoce/v1/envelope", org, uint(direction, 1), uint(epoch, 4), tag);

/** A MAC over a plaintext's digest (spec 5.4). */
export const macOf = (pair, info, digest) => hmac256(pair.macs, info, digest).subarray(0, 16);
