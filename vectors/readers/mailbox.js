// Mailbox items: what one member sends to another (spec 10.2).

import { isEd25519, isZero, join, must, toNumber, uint } from "./bytes.js";
import { open } from "./hpke.js";

const ITEM = 12288;
const START = 86;

/** The item that a receiver reads: steps 1 to 4. `signers` are the roster's Ed25519 keys by slot. */
export function itemOf(sealed, { org, receiver, transport, signers }) {
  const info = join("sottovoce/v1/mailbox", org, uint(receiver, 1));
  const plaintext = open(sealed, ITEM, transport, info);
  const [version, sender, to, zero] = plaintext;
  const length = toNumber(plaintext.subarray(4, 6));
  must(version === 1 && zero === 0, "header", "version");
  must(sender <= 15 && to === receiver, "header", "slots");
  must(length <= plaintext.length - START, "header", "a content beyond the end");
  must(isZero(plaintext.subarray(START + length)), "header", "what follows the content is not zero");
  const [receipt, signature] = [plaintext.slice(6, 22), plaintext.slice(22, START)];
  const content = plaintext.slice(START, START + length);
  const ends = join(uint(sender, 1), uint(receiver, 1));
  const signed = join("sottovoce/v1/mailbox", org, ends, transport.public, receipt, content);
  must(isEd25519(signers[sender], signature, signed), "authentication", "not signed by the sender's device");
  return { sender, receipt, content, info, signed, plaintext };
}
