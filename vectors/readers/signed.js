// Signed things: their form, who must have signed them, and what each holds (spec 8).

import { hex, isBytes, isEd25519, join, must, same, sha256 } from "./bytes.js";
import { read } from "./cbor.js";
import { KEM_PUBLIC, encapsulate } from "./hpke.js";

const MOST = 65536;
const layerOf = (kind) => (kind === "duty" ? "duty list" : "roster");
const isInteger = (value) => typeof value === "bigint";
const isSlot = (value) => isInteger(value) && value >= 0n && value <= 15n;
const isText = (value) => typeof value === "string";
const isTexts = (value) => Array.isArray(value) && value.every(isText);

/** Takes a signed thing apart: 8.3, steps 1 and 2. */
function takeApart(raw, kind) {
  const layer = layerOf(kind);
  const whole = read(raw, layer, MOST);
  must(Array.isArray(whole) && whole.length === 2 && isBytes(whole[0], whole[0]?.length), layer, "no signed thing");
  const [payload, pairs] = whole;
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((item) => item instanceof Uint8Array);
  must(Array.isArray(pairs) && pairs.length <= 16 && pairs.every(isPair), layer, "signatures of another form");
  const map = read(payload, layer, MOST);
  const keys = map instanceof Map ? [...map.keys()] : [];
  must(keys.length === 6 && keys.every((key, at) => key === BigInt(at)), layer, "not the six fields");
  const [name, org, serial, issued, expires, body] = map.values();
  must(isText(name) && isBytes(org, 32) && [serial, issued, expires].every(isInteger), layer, "a field's type");
  must(serial >= 0n && serial < 2n ** 63n, layer, "no serial");
  must(name === kind, layer, "another kind");
  return { kind, layer, payload, pairs, org, serial, issued, expires, body, hash: sha256(payload) };
}

const isSigned = ([key, signature], payload) => isEd25519(key, signature, join("sottovoce/v1/signed", payload));

/** 8.3, steps 3 and 4. */
function checkSigners({ org: named, pairs, payload, layer }, { org, signers, threshold = 1 }) {
  must(same(named, org), layer, "another organisation's");
  const allowed = pairs.filter(([key]) => signers.some((signer) => same(signer, key)));
  const right = new Set(allowed.filter((pair) => isSigned(pair, payload)).map(([key]) => hex(key)));
  must(right.size >= threshold, layer, "too few signatures");
}

/** 8.3, steps 5 and 6. */
function checkTime({ serial, issued, expires, layer }, { today, least = 0 }) {
  must(serial >= BigInt(least), layer, "older than one that was seen");
  must(issued - 1n <= BigInt(today) && BigInt(today) <= expires, layer, "not of today");
}

/** 8.3, steps 3 to 6. */
function check(thing, trust) {
  checkSigners(thing, trust);
  checkTime(thing, trust);
}

/** A chain of root documents; `org` is the anchor (spec 8.4). */
export function root(raw, { org, today }) {
  const layer = layerOf("root");
  const chain = read(raw, layer, MOST);
  must(Array.isArray(chain) && chain.length >= 1 && chain.length <= 64, layer, "no chain");
  must(chain.every((document) => isBytes(document, document?.length)), layer, "a document that is no bytes");
  const documents = chain.map((document) => takeApart(document, "root"));
  must(documents.every(({ body }) => isBytes(body, 32)), layer, "no key");
  const [first, newest] = [documents[0], documents.at(-1)];
  must(same(first.hash, org), layer, "another organisation's root");
  must(first.serial === 1n, layer, "the first one's serial");
  checkSigners(first, { org: new Uint8Array(32), signers: [first.body] });
  documents.slice(1).forEach((later, at) => checkSuccessor(later, documents[at], org));
  checkTime(newest, { today });
  must(new Set(documents.map(({ body }) => hex(body))).size === documents.length, layer, "a key that comes back");
  return { ...newest, org, key: newest.body };
}

function checkSuccessor(later, before, org) {
  must(later.serial === before.serial + 1n, later.layer, "a document is missing");
  must(later.issued >= before.issued, later.layer, "issued before its predecessor");
  checkSigners(later, { org, signers: [before.body, later.body], threshold: 2 });
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
  const isDevice = (slot) =>
    Array.isArray(slot) && slot.length === 3 && isBytes(slot[0], 32) && isBytes(slot[1], 32) && isText(slot[2]) && [...slot[2]].length <= 40;
  must(Array.isArray(slots) && slots.length === 16 && slots.every(isDevice), thing.layer, "slots");
  must(new Set(slots.map(([dh]) => hex(dh))).size === 16, thing.layer, "one device in two slots");
  must(thing.expires - thing.issued <= 180n, thing.layer, "it holds too long");
  return { ...thing, threshold: Number(threshold), slots };
}

/** 8.6; with another threshold it is a draft (8.11). */
export function duty(raw, theRoster, { today, least }, threshold = theRoster.threshold) {
  const thing = takeApart(raw, "duty");
  const signers = theRoster.slots.map(([, signing]) => signing);
  check(thing, { org: theRoster.org, signers, threshold, today, least });
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

/** 8.11: `slots` signed it rightly, `missing` signatures are needed besides. */
export function draft(raw, theRoster, trust) {
  const thing = duty(raw, theRoster, trust, 1);
  const right = new Set(thing.pairs.filter((pair) => isSigned(pair, thing.payload)).map(([key]) => hex(key)));
  const slots = [...theRoster.slots.keys()].filter((slot) => right.has(hex(theRoster.slots[slot][1])));
  return { ...thing, slots, missing: Math.max(0, theRoster.threshold - slots.length) };
}

/** 8.12. */
export function transport(raw, theRoster, { today, least }) {
  const thing = takeApart(raw, "transport");
  const [slot, key] = Array.isArray(thing.body) && thing.body.length === 2 ? thing.body : [];
  must(isSlot(slot) && isBytes(key, KEM_PUBLIC), thing.layer, "the transport key's form");
  check(thing, { org: theRoster.org, signers: [theRoster.slots[Number(slot)][1]], today, least });
  must(thing.expires - thing.issued <= 7n, thing.layer, "it holds too long");
  encapsulate(key, { layer: thing.layer });
  return { ...thing, slot, key };
}

/** 8.15: `day` is 0 where it is withdrawn. */
function notice(kind, days, isDay) {
  return (raw, theRoster, { today, least }) => {
    const thing = takeApart(raw, kind);
    check(thing, { org: theRoster.org, signers: theRoster.slots.map(([, signing]) => signing), today, least });
    must(isInteger(thing.body) && thing.expires - thing.issued <= days, thing.layer, "the notice's form");
    must(thing.body === 0n || isDay(thing), thing.layer, "a day that it can't name");
    return { ...thing, day: thing.body };
  };
}
export const absence = notice("absence", 60n, ({ body, issued, expires }) => issued <= body && body <= expires);
export const compromise = notice("compromise", 365n, ({ body, issued }) => body > 0n && body <= issued);

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
  must([...keys].every(([slot, key]) => isSlot(slot) && isBytes(key, 32)), thing.layer, "a key's form");
  return thing;
}

const isTag = (value) => isText(value) && /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/.test(value);
const isTagged = (map) => map instanceof Map && map.size <= 16 && [...map.keys()].every(isTag);
const isReview = (value) => Array.isArray(value) && value.length === 2 && isBytes(value[0], 32) && isInteger(value[1]);

const areReviews = (map) => [...map.values()].every(isReview);

/** 8.17 and 8.18: without step 6 of 8.3. */
function byRootAtAnyTime(kind, raw, theRoot) {
  const thing = takeApart(raw, kind);
  checkSigners(thing, { org: theRoot.org, signers: [theRoot.key] });
  return thing;
}

/** 8.16. */
export function languages(raw, theRoot, trust) {
  const thing = byRoot("languages", raw, theRoot, trust);
  must(isTagged(thing.body), thing.layer, "the languages' form");
  must(areReviews(thing.body), thing.layer, "a review's form");
  return thing;
}

/** 8.18. */
export function texts(raw, theRoot) {
  const thing = byRootAtAnyTime("texts", raw, theRoot);
  must(isTagged(thing.body), thing.layer, "the texts' form");
  must(areReviews(thing.body), thing.layer, "a review's form");
  return thing;
}

const isName = (value) => isText(value) && value.length <= 32 && /^[a-z]{2,}(-[a-z]{2,}){0,3}$/.test(value);

/** 8.19: a call has the form of a review, a hash and an epoch. */
export function calls(raw, theRoot, trust) {
  const thing = byRoot("calls", raw, theRoot, trust);
  must(thing.body instanceof Map && thing.body.size <= 20 && [...thing.body.keys()].every(isName), thing.layer, "the calls' form");
  must(areReviews(thing.body), thing.layer, "a call's form");
  return thing;
}

const isPlain = (text) => isText(text) && text !== "" && [...text].length <= 2000 && !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text);

/** 8.17: `fresh` is whether its texts may be shown. */
export function advice(raw, theRoot, { today }) {
  const thing = byRootAtAnyTime("advice", raw, theRoot);
  const [verified, texts] = Array.isArray(thing.body) && thing.body.length === 2 ? thing.body : [];
  must(isInteger(verified) && isTagged(texts), thing.layer, "the advice's form");
  must([...texts.values()].every(isPlain), thing.layer, "a text's form");
  must(verified <= thing.issued, thing.layer, "verified after it was signed");
  must(thing.expires === verified + 56n, thing.layer, "it holds too long");
  return { ...thing, fresh: verified - 1n <= BigInt(today) && BigInt(today) <= thing.expires };
}
