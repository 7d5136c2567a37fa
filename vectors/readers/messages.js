// Opening messages and answers, in the order of the steps (spec 7.2, 7.4).

import { must, same } from "./bytes.js";
import { encapsulate, open } from "./hpke.js";
import { answerTags, binding, conversation, macOf, memberPair, partTag, sourcePair } from "./keys.js";
import { ENVELOPE, TO_DESK, TO_SOURCE, decode, joined } from "./plaintext.js";

/** What lies under a tag, opened and taken apart: 7.2, steps 1 and 2. */
export function openAtDesk({ envelope, tag, org, epoch, key }) {
  const info = binding(org, TO_DESK, epoch, tag);
  return { ...decode(open(envelope, ENVELOPE, key, info), TO_DESK), info };
}

/** The first part, believed: 7.2, steps 3 to 7. `before` are the message ids that the conversation had. */
export function believeAtDesk(first, { org, slot, device, before = [] }) {
  must(first.part === 0, "reassembly", "a later part carries no keys");
  const expected = macOf(memberPair(device, first, org, slot), first.info, first.digest);
  must(same(expected, first.macs.subarray(16 * slot, 16 * slot + 16)), "authentication", "the MAC is another");
  encapsulate(first.kem);
  must(!before.some((id) => same(id, first.messageId)), "replay", "the conversation had this message before");
  return { ...first, conversation: conversation(org, first.kem, first.dh, first.c) };
}

/** A message: 7.2, steps 8 and 9, the later parts in order. */
export const messageOf = (first, later) => ({ ...first, ...joined(first, later) });

/** The first part of an answer in its place: 7.4, steps 1 to 4. */
export function openAtSource({ envelope, keys, member, epoch, slot, n }) {
  const pair = sourcePair(keys, slot, member);
  const tag = answerTags(pair.tags, epoch)[n];
  const info = binding(keys.org, TO_SOURCE, epoch, tag);
  const first = decode(open(envelope, ENVELOPE, keys.kem, info), TO_SOURCE);
  must(first.part === 0, "reassembly", "a later part, where a first one belongs");
  must(first.slot === slot && first.n === n, "header", "it is in another place than it says");
  must(same(macOf(pair, info, first.digest), first.mac), "authentication", "the MAC is another");
  const tags = Array.from({ length: first.parts - 1 }, (_, at) => partTag(pair.tags, tag, at + 1));
  return { ...first, tag, tags, epoch };
}

/** A later part of an answer under its tag: 7.4, step 5. */
export function openLaterAtSource(first, envelope, part, keys) {
  const info = binding(keys.org, TO_SOURCE, first.epoch, first.tags[part - 1]);
  const found = decode(open(envelope, ENVELOPE, keys.kem, info), TO_SOURCE);
  const fits = same(found.messageId, first.messageId) && found.part === part && found.parts === first.parts;
  must(fits && found.slot === first.slot && found.n === first.n, "reassembly", "not the part that was expected");
  return found;
}

/** An answer: 7.4, steps 6 to 8. */
export const answerOf = (first, later) => ({ ...first, ...joined(first, later) });
