// What each kind of vector says, and how it is read. A new kind is one function, and one line in GOOD or WAYS.

import { x25519 } from "@noble/curves/ed25519.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";

import { hex, join, sha256, uint, unhex } from "./bytes.js";
import { faultOf, fileOf } from "./edition.js";
import { decapsulate, encapsulate, keySchedule, nonceOf, xwingKey } from "./hpke.js";
import { answerEpochs, answerTags, binding, macOf, memberPair, partTag, sourceKeys, sourcePair } from "./keys.js";
import { itemOf } from "./mailbox.js";
import { answerAtSource, messageAtDesk } from "./messages.js";
import { decode, decodeBody, seenBit, seenBits } from "./plaintext.js";
import * as signedThings from "./signed.js";
import { numbers, parse, places } from "./words.js";

/** Fails unless they are the same; bytes are compared as hex. */
export function equal(actual, expected, what) {
  const plain = (value) => JSON.stringify(value, (_, item) => (item instanceof Uint8Array ? hex(item) : typeof item === "bigint" ? Number(item) : item));
  if (plain(actual) !== plain(expected)) throw new Error(`${what}: ${plain(actual)?.slice(0, 200)}, the vector says ${plain(expected)?.slice(0, 200)}`);
}

/** Each named field of what was made is that of the vector. */
const equalFields = (made, vector, ...names) => names.forEach((name) => equal(made[name], vector[name], name));

/** RFC 9180 with our suite, as published: key schedule and messages, some with data of their own. */
function hpke(vector) {
  const key = xwingKey(unhex(vector.skRm));
  equal(key.public, vector.pkRm, "pkRm");
  const [enc, sent] = encapsulate(key.public, { random: unhex(vector.ikmE) });
  equal(enc, vector.enc, "enc");
  const secret = decapsulate(unhex(vector.enc), key);
  equal([sent, secret], [vector.shared_secret, vector.shared_secret], "shared secret");
  const { key: aead, nonce, exporter } = keySchedule(secret, unhex(vector.info));
  equal([aead, nonce, exporter], [vector.key, vector.base_nonce, vector.exporter_secret], "key schedule");
  vector.encryptions.forEach(({ aad, ct, nonce: published, pt }, sequence) => {
    equal(nonceOf(nonce, sequence), published, "nonce");
    equal(chacha20poly1305(aead, nonceOf(nonce, sequence), unhex(aad)).decrypt(unhex(ct)), pt, "plaintext");
  });
}

/** 3.2: as published. */
function xwing({ cases }) {
  for (const each of cases) {
    const key = xwingKey(unhex(each.seed));
    equal(key.public, each.public, "public key");
    equal(encapsulate(key.public, { random: unhex(each.eseed) }), [each.ct, each.ss], "encapsulation");
    equal(decapsulate(unhex(each.ct), key), each.ss, "shared secret");
  }
}

/** 2.1 to 2.3. */
function passphrase({ cases }, { lists }) {
  for (const { mk, numbers: wanted, words } of cases) {
    equal(numbers(unhex(mk)), wanted, "numbers");
    equal(Object.keys(words).length, 12, "lists");
    for (const [language, twelve] of Object.entries(words)) {
      const list = lists.of(language);
      equal(places(unhex(mk)).map((place) => list[place]), twelve, language);
      equal(parse(twelve.join(" "), list), mk, `typed in ${language}`);
    }
  }
}

/** 2.4. */
function typed({ cases }, { lists }) {
  for (const each of cases) equal(parse(each.typed, ...each.lists.map((name) => lists.of(name))), each.mk, each.how);
}

/** 2.4. */
function mistyped({ cases }, { lists }) {
  for (const { typed: text, kind, count, place } of cases) {
    let found = null;
    try {
      parse(text, lists.of("english"));
    } catch (error) {
      found = { kind: error.kind, count: error.count, place: error.place };
    }
    equal(found, { kind, count, place }, text);
  }
}

/** 3.1, 3.3 to 3.5. */
function keysOfSource({ mk, cases }, { lists }) {
  for (const each of cases) {
    const keys = sourceKeys(unhex(mk), unhex(each.org));
    equal(keys.kemSeed, each.kem_seed, "kem_seed");
    equal(keys.kem.public, each.kem, "kem");
    equalFields(keys, each, "dh", "c", "id");
    equal(lists.ofHash(keys.id, 2), each.sign, "sign");
  }
}

/** 4.1, from both ends. */
function pairKeys({ mk, org, dh, cases }) {
  const keys = sourceKeys(unhex(mk), unhex(org));
  equal(keys.dh, dh, "dh");
  for (const each of cases) {
    equal(x25519.getPublicKey(unhex(each.device)), each.member, "member");
    equalFields(sourcePair(keys, each.slot, unhex(each.member)), each, "tags", "macs");
    equalFields(memberPair(unhex(each.device), keys, keys.org, each.slot), each, "tags", "macs");
  }
}

/** 4.2, 4.3. */
function tags({ key, cases, parts }) {
  for (const { epoch, tags: wanted } of cases) equal(answerTags(unhex(key), epoch), wanted, `epoch ${epoch}`);
  const first = unhex(cases[1].tags[0]);
  for (const [part, tag] of Object.entries(parts)) equal(partTag(unhex(key), first, Number(part)), tag, `part ${part}`);
}

/** 4.4. */
const epochs = ({ today, epochs: wanted }) => equal(answerEpochs(today), wanted, "epochs");

/** 5.1, 5.4, 5.6, 6.2: fields, digest and MACs of a plaintext; `direction` 0 or 1. */
const plaintext = (direction) => (vector) => {
  const keys = sourceKeys(unhex(vector.mk), unhex(vector.org));
  const info = binding(keys.org, direction, vector.epoch, unhex(vector.tag));
  const part = decode(unhex(vector.plaintext), direction);
  equal(info, vector.binding, "binding");
  equalFields(part, vector, "digest", "body");
  equal(part.messageId, vector.message_id, "message id");
  equal(part.bodyHash, sha256(part.body), "body hash");
  equal(decodeBody(part.body).text, vector.text, "text");
  const macs = vector.devices.map((device, slot) => macOf(memberPair(unhex(device), keys, keys.org, slot), info, part.digest));
  if (direction === 0) {
    equalFields(part, vector, "seen");
    equal([part.rosterHash, part.kem, part.dh, part.c], [vector.roster_hash, keys.kem.public, keys.dh, keys.c], "fields");
    equal(part.macs, join(...macs), "MACs");
  } else {
    equalFields(part, vector, "slot", "n");
    equal([Number(`0x${hex(part.received)}`), Number(`0x${hex(part.newest)}`)], [vector.received, vector.newest], "fields");
    equal(part.mac, macs[part.slot], "MAC");
  }
};

/** 5.1. */
function laterPart(vector) {
  const part = decode(unhex(vector.plaintext), vector.direction);
  equal(part.messageId, vector.message_id, "message id");
  equalFields(part, vector, "part", "parts", "body");
}

/** 5.5. */
function seen({ today, places: seenPlaces, bits, seen: bitmap }) {
  const set = seenPlaces.map((place) => seenBit(today, ...place)).sort((one, other) => one - other);
  equal(set, bits, "bits");
  equal(seenBits(unhex(bitmap)), bits, "bitmap");
}

/** The member's end of a vector. */
const memberOf = ({ org, epoch, key, slot, device }) =>
  ({ org: unhex(org), epoch, key: xwingKey(unhex(key)), slot, device: unhex(device) });

const laid = (envelopes) => envelopes.map(({ tag, envelope }) => ({ tag: unhex(tag), envelope: unhex(envelope) }));

/** 7.2, 7.5: what a member sees of one message; `envelopes` are those of its parts. */
function partsAtDesk(vector) {
  const message = messageAtDesk(laid(vector.envelopes), memberOf(vector));
  return { ...message, plaintext: message.plain };
}

/** 7.2: a message of one part. */
const atDesk = (vector) => partsAtDesk({ ...vector, envelopes: [vector] });

/** 7.2.7: messages one after the other; in a bad vector the one numbered `refused` (from 0) is refused, and no other. */
function messagesAtDesk(vector) {
  const before = [];
  laid(vector.envelopes).forEach((envelope, number) => {
    try {
      before.push(messageAtDesk([envelope], { ...memberOf(vector), before }));
    } catch (error) {
      if (number === vector.refused) throw error;
      throw new Error(`the message number ${number}: ${error.message}`);
    }
  });
  return { messages: before.map(({ text, after, messageId }) => ({ text, after, message_id: messageId })) };
}

/** 7.4: what a source sees in a place; `look` gives what lies under a tag. */
function inPlace({ mk, org, member, epoch, slot, n }, look) {
  const keys = sourceKeys(unhex(mk), unhex(org));
  const answer = answerAtSource(look, { keys, member: unhex(member), epoch, slot, n });
  return { ...answer, plaintext: answer.plain, tags: answer.allTags };
}

/** 7.4: an answer of one part. */
const atSource = (vector) => inPlace(vector, () => unhex(vector.envelope));

/** 7.4: an answer of several parts; the pool holds `envelopes`, and nothing else. */
function partsAtSource(vector) {
  const pool = new Map(vector.envelopes.map(({ tag, envelope }) => [tag, unhex(envelope)]));
  return inPlace(vector, (tag) => pool.get(hex(tag)));
}

/** 10.2. */
const inMailbox = ({ item, org, receiver, transport, signers }) =>
  itemOf(unhex(item), { org: unhex(org), receiver, transport: xwingKey(unhex(transport)), signers: signers.map(unhex) });

/** 8: what a signed thing says, when it is to be believed. */
function signed(vector, { lists }) {
  const raw = unhex(vector.signed);
  const trust = { org: unhex(vector.org), today: vector.today, least: vector.least };
  const theRoot = signedThings.root(unhex(vector.root), trust);
  const roster = () => signedThings.roster(unhex(vector.roster), theRoot, trust);
  const readers = {
    root: () => signedThings.root(raw, trust),
    roster: () => signedThings.roster(raw, theRoot, trust),
    duty: () => signedThings.duty(raw, roster(), trust),
    draft: () => signedThings.draft(raw, roster(), trust),
    transport: () => signedThings.transport(raw, roster(), trust),
    absence: () => signedThings.absence(raw, roster(), trust),
    compromise: () => signedThings.compromise(raw, roster(), trust),
    card: () => signedThings.card(raw, theRoot, trust),
    access: () => signedThings.access(raw, theRoot, trust),
    languages: () => signedThings.languages(raw, theRoot, trust),
    advice: () => signedThings.advice(raw, theRoot, trust),
    texts: () => signedThings.texts(raw, theRoot),
    calls: () => signedThings.calls(raw, theRoot, trust),
  };
  return { ...readers[vector.kind](), kind: vector.kind, check_words: lists.ofHash(theRoot.org, 6) };
}

/** A good signed thing. */
function goodSigned(vector, tools) {
  const thing = signed(vector, tools);
  equalFields(thing, vector, "kind", "serial", "issued", "expires", "payload", "hash");
  equalFields(thing, vector, ...["check_words", "key", "slots", "missing", "fresh"].filter((field) => field in vector));
  if ("complete" in vector) equal(signed({ ...vector, kind: "duty", signed: vector.complete }, tools).hash, vector.hash, "complete");
}

/** 9.6 to 9.8. */
function edition({ number, tags, listed }) {
  equal(faultOf(fileOf(number, tags), unhex(listed)), null, "fault");
  equal(unhex(listed).slice(0, 8), join(uint(number, 4), uint(tags.length, 4)), "record");
}

/** 9.6 to 9.8: each is refused. */
function editionRefused({ tags, cases }) {
  for (const { about, at, new: bytes, size, listed } of cases) {
    const good = fileOf(4 * 20780 + 1, tags);
    good.set(unhex(bytes), at);
    const file = new Uint8Array(size);
    file.set(good.subarray(0, size));
    if (faultOf(file, unhex(listed)) === null) throw new Error(`it took an edition with ${about}`);
  }
}

/** Good vectors by the name of their file. */
export const GOOD = {
  edition,
  edition_refused: editionRefused,
  hpke,
  xwing,
  passphrase,
  passphrase_typed: typed,
  passphrase_refused: mistyped,
  source_keys: keysOfSource,
  pair_keys: pairKeys,
  tags,
  answer_epochs: epochs,
  to_desk: plaintext(0),
  to_source: plaintext(1),
  later_part: laterPart,
  seen,
  signed_root: goodSigned,
  signed_roster: goodSigned,
  signed_duty: goodSigned,
  signed_card: goodSigned,
  signed_access: goodSigned,
  signed_pairs: goodSigned,
  signed_root_chain: goodSigned,
  signed_draft: goodSigned,
  signed_transport: goodSigned,
  signed_languages: goodSigned,
  signed_advice: goodSigned,
  signed_advice_old: goodSigned,
  signed_texts: goodSigned,
  signed_calls: goodSigned,
  signed_absence: goodSigned,
  signed_compromise: goodSigned,
  signed_withdrawn: goodSigned,
};

/** Vectors with a `way`: read so; a good one shows what these fields say, a bad one is refused by the layer it names. */
export const WAYS = {
  desk: atDesk,
  desk_parts: partsAtDesk,
  desk_messages: messagesAtDesk,
  source: atSource,
  source_parts: partsAtSource,
  mailbox: inMailbox,
  signed,
};
export const SHOWN = ["text", "plaintext", "messages", "tags", "sender", "receipt", "content", "info", "signed"];
