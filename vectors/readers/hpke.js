// X-Wing (spec 3.2) and HPKE's base mode with our suite (spec 5.7), from RFC 9180 and the X-Wing draft.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

import { join, must, orRefuse, sha256, uint, unhex } from "./bytes.js";

const LABEL = unhex("5c2e2f2f5e5c"); // \.//^\ of the X-Wing draft
const SUITE = join("HPKE", uint(0x647a, 2), uint(0x0001, 2), uint(0x0003, 2));
const MLKEM = { public: 1184, ciphertext: 1088 };
export const ENC = MLKEM.ciphertext + 32;
export const KEM_PUBLIC = MLKEM.public + 32;

/** The key pair of a seed(32). */
export function xwingKey(seed) {
  const expanded = shake256(seed, { dkLen: 96 });
  const mlkem = ml_kem768.keygen(expanded.subarray(0, 64));
  const dh = expanded.subarray(64);
  return { mlkem, dh, public: join(mlkem.publicKey, x25519.getPublicKey(dh)) };
}

const combined = (mlkemSecret, dhSecret, dhCiphertext, dhPublic) =>
  sha3_256(join(mlkemSecret, dhSecret, dhCiphertext, dhPublic, LABEL));

/** The shared secret(32) in `enc`; `key` is of xwingKey. */
export function decapsulate(enc, key) {
  const [ciphertext, ephemeral] = [enc.subarray(0, MLKEM.ciphertext), enc.subarray(MLKEM.ciphertext)];
  const mlkemSecret = ml_kem768.decapsulate(ciphertext, key.mlkem.secretKey);
  return combined(mlkemSecret, x25519.getSharedSecret(key.dh, ephemeral), ephemeral, key.public.subarray(MLKEM.public));
}

/** [enc, shared secret] for a public key; refused when it is none (spec 3.2). `random`(64): for published figures. */
export function encapsulate(publicKey, { layer = "body", random = randomBytes(64) } = {}) {
  must(publicKey.length === KEM_PUBLIC, layer, "the X-Wing key has another size");
  return orRefuse(layer, "the X-Wing key gives no shared secret", () => {
    const dhPublic = publicKey.subarray(MLKEM.public);
    const made = ml_kem768.encapsulate(publicKey.subarray(0, MLKEM.public), random.subarray(0, 32));
    const [mine, ephemeral] = [random.subarray(32), x25519.getPublicKey(random.subarray(32))];
    const secret = combined(made.sharedSecret, x25519.getSharedSecret(mine, dhPublic), ephemeral, dhPublic);
    return [join(made.cipherText, ephemeral), secret];
  });
}

const labeledExtract = (salt, label, ikm) => extract(sha256, join("HPKE-v1", SUITE, label, ikm), join(salt));
const labeledExpand = (key, label, info, length) =>
  expand(sha256, key, join(uint(length, 2), "HPKE-v1", SUITE, label, info), length);

/** Key, base nonce and exporter secret of base mode (RFC 9180, 5.1). */
export function keySchedule(sharedSecret, info) {
  const context = join(uint(0, 1), labeledExtract("", "psk_id_hash", ""), labeledExtract("", "info_hash", info));
  const secret = labeledExtract(sharedSecret, "secret", "");
  const made = (label, length) => labeledExpand(secret, label, context, length);
  return { key: made("key", 32), nonce: made("base_nonce", 12), exporter: made("exp", 32) };
}

/** The nonce of the message number `sequence` (RFC 9180, 5.2). */
export function nonceOf(base, sequence) {
  const number = uint(sequence, base.length);
  return base.map((byte, at) => byte ^ number[at]);
}

/** Opens enc ‖ ciphertext, of exactly `size` bytes (spec 5.7). */
export function open(sealed, size, key, info) {
  must(sealed.length === size, "size", `${sealed.length} bytes`);
  return orRefuse("seal", "it does not open", () => {
    const schedule = keySchedule(decapsulate(sealed.subarray(0, ENC), key), info);
    return chacha20poly1305(schedule.key, schedule.nonce).decrypt(sealed.subarray(ENC));
  });
}
