// Editions as files, and their records in the list (spec 9.6 to 9.8).

import { join, same, sha256, toNumber, uint, unhex } from "./bytes.js";

const HEAD = join("sottoed", uint(1, 1));
const MOST = 100000;

/** A record of the list. */
const recordOf = (bytes) =>
  ({ number: toNumber(bytes.subarray(0, 4)), count: toNumber(bytes.subarray(4, 8)), hash: bytes.subarray(8) });

const before = (one, other) => {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at >= 0 && one[at] < other[at];
};

/** What is wrong with a file that is listed so; nothing when it may be taken. */
export function faultOf(file, record) {
  const { number, count, hash } = recordOf(record);
  if (count < 32 || count > MOST || count % 32 !== 0) return "an N that can't be";
  if (file.length !== 16 + 8208 * count) return "size";
  if (!same(file.subarray(0, 8), HEAD)) return "no edition of this version";
  if (!same(file.subarray(8, 16), join(uint(number, 4), uint(count, 4)))) return "another number or N than listed";
  const tags = tagsOf(file, count);
  if (!tags.slice(1).every((tag, at) => before(tags[at], tag))) return "tags that don't ascend";
  return same(sha256(file), hash) ? null : "another hash than listed";
}

const tagsOf = (file, count) => Array.from({ length: count }, (_, at) => file.subarray(16 + 16 * at, 32 + 16 * at));

/** The file that a vector tells by its tags: under each lies the tag itself, 512 times. */
export function fileOf(number, tags) {
  const bytes = tags.map(unhex);
  const envelopes = bytes.map((tag) => join(...Array.from({ length: 512 }, () => tag)));
  return join(HEAD, uint(number, 4), uint(tags.length, 4), ...bytes, ...envelopes);
}
