// Opening messages and answers, in the order of the steps (spec 7.2, 7.4, 7.5).

import { join, must, same, sha256 } from "./bytes.js";
import { encapsulate, open } from "./hpke.js";
import { answerTags, binding, conversation, macOf, memberPair, partTag, sourcePair } from "./keys.js";
import { ENVELOPE, TO_DESK, TO_SOURCE, decode, decodeBody } from "./plaintext.js";

const TRIES = 4096;

/** What lies under a tag, opened and taken apart: 7.2, steps 1 and 2. */
function openAtDesk({ envelope, tag, org, epoch, key }) {
  const info = binding(org, TO_DESK, epoch, tag);
  return { ...decode(open(envelope, ENVELOPE, key, info), TO_DESK), info };
}

/** The first part, believed: 7.2, steps 3 to 7. `before`: the first parts that were believed before. */
function believeAtDesk(first, { org, slot, device, before = [] }) {
  const expected = macOf(memberPair(device, first, org, slot), first.info, first.digest);
  must(same(expected, first.macs.subarray(16 * slot, 16 * slot + 16)), "authentication", "the MAC is another");
  encapsulate(first.kem);
  const name = join(conversation(org, first.kem, first.dh, first.c), first.messageId);
  must(!before.some((each) => same(each.name, name)), "replay", "the conversation had this message before");
  return { ...first, name };
}

/** One of each, the last fastest. */
function* combinations([candidates, ...more]) {
  if (candidates === undefined) yield [];
  else for (const one of candidates) for (const others of combinations(more)) yield [one, ...others];
}

/** The body's bytes from what says that it is a later part of this message: 7.5. */
function joinedAtDesk(first, later) {
  const candidates = Array.from({ length: first.parts - 1 }, (_, at) => later.filter(({ part }) => part === at + 1));
  must(candidates.every((each) => each.length), "reassembly", "a part is missing");
  let tries = 0;
  for (const parts of combinations(candidates)) {
    const body = join(first.body, ...parts.map((part) => part.body));
    if (same(sha256(body), first.bodyHash)) return body;
    tries += 1;
    if (tries === TRIES) break;
  }
  return must(false, "body", "no parts give the body's hash");
}

/** One message from the envelopes of its parts, in whatever order they lie there: 7.2, steps 1 to 9. */
export function messageAtDesk(envelopes, reader) {
  const opened = envelopes.map(({ tag, envelope }) => openAtDesk({ ...reader, tag, envelope }));
  const found = opened.find(({ part }) => part === 0);
  must(found, "reassembly", "later parts carry no keys");
  const first = believeAtDesk(found, reader);
  const later = opened.filter(({ part, messageId }) => part !== 0 && same(messageId, first.messageId));
  return { ...first, ...decodeBody(joinedAtDesk(first, later)) };
}

/** The first part of an answer in its place: 7.4, steps 1 to 4. */
function openAtSource(look, { keys, member, epoch, slot, n }) {
  const pair = sourcePair(keys, slot, member);
  const tag = answerTags(pair.tags, epoch)[n];
  const info = binding(keys.org, TO_SOURCE, epoch, tag);
  const first = decode(open(look(tag), ENVELOPE, keys.kem, info), TO_SOURCE);
  must(first.part === 0, "reassembly", "a later part, where a first one belongs");
  must(first.slot === slot && first.n === n, "header", "it is in another place than it says");
  must(same(macOf(pair, info, first.digest), first.mac), "authentication", "the MAC is another");
  const tags = Array.from({ length: first.parts - 1 }, (_, at) => partTag(pair.tags, tag, at + 1));
  return { ...first, epoch, tags, allTags: [tag, ...tags] };
}

/** A later part of an answer under its tag: 7.4, step 5. */
function openLaterAtSource(first, envelope, part, keys) {
  const info = binding(keys.org, TO_SOURCE, first.epoch, first.tags[part - 1]);
  const found = decode(open(envelope, ENVELOPE, keys.kem, info), TO_SOURCE);
  const fits = same(found.messageId, first.messageId) && found.part === part && found.parts === first.parts;
  must(fits && found.slot === first.slot && found.n === first.n, "reassembly", "not the part that was expected");
  return found;
}

/** An answer, from what the pool holds under tags: 7.4, steps 1 to 8. `look` gives the envelope of a tag, if any. */
export function answerAtSource(look, place) {
  const first = openAtSource(look, place);
  const laid = first.tags.map((tag, at) => ({ envelope: look(tag), part: at + 1 })).filter(({ envelope }) => envelope);
  const later = laid.map(({ envelope, part }) => openLaterAtSource(first, envelope, part, place.keys));
  must(later.length === first.parts - 1, "reassembly", "a part is missing");
  const body = join(first.body, ...later.map((part) => part.body));
  must(same(sha256(body), first.bodyHash), "body", "the body's hash is another");
  return { ...first, ...decodeBody(body) };
}
