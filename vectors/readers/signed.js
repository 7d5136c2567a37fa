// Signed things: their form, who must have signed them, and what each holds (spec 8).

import { hex, isBytes, isEd25519, join, must, same, sha256 } from "./bytes.js";
import { read } from "./cbor.js";
import { KEM_PUBLIC } from "./hpke.js";

const MOST = 65536;
const layerOf = (kind) => (kind === "duty" ? "duty list" : "roster");
const isInteger = (value) => typeof value === "bigint";
const isText = (value) => typeof value === "string";
const isTexts = (value) => Array.isArray(value) && value.every(isText);

/** Takes a signed thing apart: 8.3, steps 1 and 2. */
function takeApart(raw, kind) {
  const layer = layerOf(kind);
  const whole = read(raw, layer, MOST);
  must(Array.isArray(whole) && whole.length === 2 && isBytes(whole[0], whole[0]?.length), layer, "no signed thing");
  const [payload, pairs] = whole;
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2 && isBytes(pair[0], 32) && isBytes(pair[1], 64);
  must(Array.isArray(pairs) && pairs.length <= 16 && pairs.every(isPair), layer, "signatures of another form");
  const map = read(payload, layer, MOST);
  const keys = map instanceof Map ? [...map.keys()] : [];
  must(keys.length === 6 && keys.every((key, at) => key === BigInt(at)), layer, "not the six fields");
  const [name, org, serial, issued, expires, body] = map.values();
  must(isText(name) && isBytes(org, 32) && [serial, issued, expires].every(isInteger), layer, "a field's type");
  must(name === kind, layer, "another kind");
  return { kind, layer, payload, pairs, org, serial, issued, expires, body, hash: sha256(payload) };
}

const isSigned = ([key, signature], payload) => isEd25519(key, signature, join("sottovoce/v1/signed", payload));

/** 8.3, steps 3 to 6. */
function check(thing, { org, signers, threshold = 1, today, least = 0 }) {
  const { layer, payload } = thing;
  must(same(thing.org, org), layer, "another organisation's");
  const allowed = thing.pairs.filter(([key]) => signers.some((signer) => same(signer, key)));
  const right = new Set(allowed.filter((pair) => isSigned(pair, payload)).map(([key]) => hex(key)));
  must(right.size >= threshold, layer, "too few signatures");
  must(thing.serial >= BigInt(least), layer, "older than one that was seen");
  must(thing.issued - 1n <= BigInt(today) && BigInt(today) <= thing.expires, layer, "not of today");
}

/** The first root document; `org` is the anchor (spec 8.4). */
export function root(raw, { org, today }) {
  const thing = takeApart(raw, "root");
  must(isBytes(thing.body, 32), thing.layer, "no key");
  must(same(thing.hash, org), thing.layer, "another organisation's root");
  check(thing, { org: new Uint8Array(32), signers: [thing.body], today });
  return { ...thing, org, key: thing.body };
}

/** What the root's key signs: 8.3 with that key. */
function byRoot(kind, raw, theRoot, { today, least }) {
  const thing = takeApart(raw, kind);
  check(thing, { org: theRoot.org, signers: [theRoot.key], today, least });
  return thing;
}

/** 8.5. */
export function roster(raw, theRoot, trust) {
  const thing = byRoot("roster", raw, theRoot, trust);
  const [threshold, slots] = Array.isArray(thing.body) && thing.body.length === 2 ? thing.body : [];
  must(threshold === 1n || threshold === 2n, thing.layer, "threshold");
  const isSlot = (slot) =>
    Array.isArray(slot) && slot.length === 3 && isBytes(slot[0], 32) && isBytes(slot[1], 32) && isText(slot[2]) && [...slot[2]].length <= 40;
  must(Array.isArray(slots) && slots.length === 16 && slots.every(isSlot), thing.layer, "slots");
  must(new Set(slots.map(([dh]) => hex(dh))).size === 16, thing.layer, "one device in two slots");
  must(thing.expires - thing.issued <= 180n, thing.layer, "it holds too long");
  return { ...thing, threshold: Number(threshold), slots };
}

/** 8.6. */
export function duty(raw, theRoster, { today, least }) {
  const thing = takeApart(raw, "duty");
  const signers = theRoster.slots.map(([, signing]) => signing);
  check(thing, { org: theRoster.org, signers, threshold: theRoster.threshold, today, least });
  const [rosterHash, keys] = Array.isArray(thing.body) && thing.body.length === 2 ? thing.body : [];
  must(isBytes(rosterHash, 32), thing.layer, "no roster's hash");
  must(keys instanceof Map && keys.size >= 1 && keys.size <= 28, thing.layer, "1 to 28 keys");
  must([...keys].every(([epoch, key]) => isInteger(epoch) && isBytes(key, KEM_PUBLIC)), thing.layer, "a key's form");
  must(same(rosterHash, theRoster.hash), thing.layer, "for another roster");
  const epochs = [...keys.keys()].sort((one, other) => (one < other ? -1 : 1));
  must(epochs.at(-1) === thing.expires, thing.layer, "it ends on another day than its last key");
  must(epochs[0] >= thing.issued - 1n && thing.expires - thing.issued <= 28n, thing.layer, "a key too far away");
  return { ...thing, keys };
}

/** 8.7. */
export function card(raw, theRoot, trust) {
  const thing = byRoot("card", raw, theRoot, trust);
  const body = Array.isArray(thing.body) && thing.body.length === 6 ? thing.body : [];
  const [name, addresses, languages, accounts, leastRoot, leastRoster] = body;
  must(isText(name) && [addresses, languages, accounts].every(isTexts), thing.layer, "the card's form");
  must(isInteger(leastRoot) && isInteger(leastRoster), thing.layer, "the card's form");
  must(theRoot.serial >= leastRoot, thing.layer, "the root is older than the card's least");
  return { ...thing, leastRoster };
}

/** 8.8. */
export function access(raw, theRoot, trust) {
  const thing = byRoot("access", raw, theRoot, trust);
  const [address, keys] = Array.isArray(thing.body) && thing.body.length === 2 ? thing.body : [];
  must(isText(address) && keys instanceof Map && keys.size <= 16, thing.layer, "the access list's form");
  must([...keys].every(([slot, key]) => isInteger(slot) && isBytes(key, 32)), thing.layer, "a key's form");
  return thing;
}
