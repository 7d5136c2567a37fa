// CBOR in its one allowed form (spec 6.1), read byte by byte: maps become Map, integers BigInt, byte strings Uint8Array.

import { must, toBig } from "./bytes.js";

const DEPTH = 6;
const SIMPLE = new Map([[20, false], [21, true], [22, null]]);
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader {
  constructor(bytes, layer) {
    this.bytes = bytes;
    this.layer = layer;
    this.at = 0;
  }

  must(holds, why) {
    must(holds, this.layer, `CBOR: ${why}`);
  }

  take(size) {
    this.must(this.at + size <= this.bytes.length, "it ends too early");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  /** Major type and argument; the shortest head only. */
  head() {
    const first = this.take(1)[0];
    const [major, info] = [first >> 5, first & 31];
    this.must(info < 28, "an indefinite length, or a head that is reserved");
    if (major === 7) this.must(SIMPLE.has(info), "a float, or a simple value that is not used");
    if (info < 24) return [major, BigInt(info)];
    const size = 2 ** (info - 24);
    const argument = toBig(this.take(size));
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    this.must(argument >= least, "a head that is longer than it needs to be");
    return [major, argument];
  }

  item(depth) {
    const [major, argument] = this.head();
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1n - argument;
      case 2:
        return this.take(this.size(argument)).slice();
      case 3:
        return this.text(this.take(this.size(argument)));
      case 4:
        return this.array(this.size(argument), depth);
      case 5:
        return this.map(this.size(argument), depth);
      case 6:
        return this.must(false, "a tag");
      default:
        return SIMPLE.get(Number(argument));
    }
  }

  /** A length that these bytes can hold at all. */
  size(argument) {
    this.must(argument <= BigInt(this.bytes.length), "a length beyond the end");
    return Number(argument);
  }

  text(bytes) {
    try {
      return UTF8.decode(bytes);
    } catch {
      return this.must(false, "a text that is not UTF-8");
    }
  }

  deeper(size, depth) {
    this.must(size === 0 || depth < DEPTH, "too many things in one another");
    return depth + 1;
  }

  array(size, depth) {
    const inside = this.deeper(size, depth);
    return Array.from({ length: size }, () => this.item(inside));
  }

  map(size, depth) {
    const [inside, map] = [this.deeper(size, depth), new Map()];
    for (let before = null, left = size; left > 0; left -= 1) {
      const start = this.at;
      const key = this.item(inside);
      this.must(!(key instanceof Map || Array.isArray(key)), "a map or an array as a key");
      const encoded = this.bytes.subarray(start, this.at);
      this.must(before === null || comesBefore(before, encoded), "a key twice, or keys in another order");
      before = encoded;
      map.set(key, this.item(inside));
    }
    return map;
  }
}

/** RFC 8949, 4.2.3: the shorter encoding first, then bytewise. */
function comesBefore(one, other) {
  if (one.length !== other.length) return one.length < other.length;
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at >= 0 && one[at] < other[at];
}

/** The one value that these bytes are; else refused by this layer. */
export function read(bytes, layer, most) {
  must(bytes.length <= most, layer, `more than ${most} bytes of CBOR`);
  const reader = new Reader(bytes, layer);
  const value = reader.item(0);
  reader.must(reader.at === bytes.length, "something follows");
  return value;
}
