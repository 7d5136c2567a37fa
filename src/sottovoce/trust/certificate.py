"""Certificates for the provenance of films: the organisation's own authority, and a signer's certificate of a year.

The authority's key is derived from the root key of now, so it is kept, backed up and replaced with that one. A signer's
key leaves the office: who steals it can sign films as the organisation's until its year is over, and nothing else.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import EPOCH_SECONDS

from .card import UntrustedCard
from .office import Office

SIGNER_DAYS = 365
_NAME_MOST = 64  # characters of a part of a name (RFC 5280, appendix A)
_USES = [  # C2PA asks for one that its readers know; these are what they know by default, and its own
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # document signing (RFC 9336)
    x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1"),  # signing of C2PA claims
]


@dataclass(frozen=True)
class Issued:
    """A signer's certificate with the authority's below it, and the signer's key: both PEM."""

    chain: bytes
    key: bytes = field(repr=False)


def authority(office: Office, today: int) -> bytes:
    """The authority's certificate as DER, the same bytes each time; Refused without a card."""
    return _own(office, today).public_bytes(Encoding.DER)


def _own(office: Office, today: int) -> x509.Certificate:
    raw, root = office.signed.get("card"), office.root(today)
    if raw is None:
        raise Refused("roster", "The office has no card yet: make the organisation first.")
    name = UntrustedCard.of(raw).verify(root, today).name
    return _authority(name, _authority_key(office), root.claim.issued, root.claim.expires)


def issue(office: Office, today: int) -> Issued:
    """A new certificate for whoever signs the organisation's films, from today for a year; Refused without a card."""
    own, above, root = _own(office, today), _authority_key(office), office.root(today)
    name = str(own.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)
    key = ec.generate_private_key(ec.SECP256R1())
    last = min(today + SIGNER_DAYS, root.claim.expires)
    made = _certificate(own.subject, _name(name, "Films"), key.public_key(), x509.random_serial_number(), today, last)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(signing=True), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False)
    chain = made.sign(above, None).public_bytes(Encoding.PEM) + own.public_bytes(Encoding.PEM)
    return Issued(chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _authority_key(office: Office) -> Ed25519PrivateKey:
    seed = office.root_key().private_bytes_raw()
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"sottovoce/v1/office", info=b"provenance")
    return Ed25519PrivateKey.from_private_bytes(kdf.derive(seed))


def _authority(name: str, key: Ed25519PrivateKey, first: int, last: int) -> x509.Certificate:
    """The authority's own certificate: the same bytes each time."""
    subject = _name(name, "Provenance")
    made = _certificate(subject, subject, key.public_key(), 1, first, last)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return made.add_extension(_usage(signing=False), critical=True).sign(key, None)


def _certificate(
    issuer: x509.Name, subject: x509.Name, key: CertificatePublicKeyTypes, number: int, first: int, last: int
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder(issuer, subject, key, number, _midnight(first), _midnight(last + 1))
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _midnight(epoch: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(epoch * EPOCH_SECONDS, datetime.UTC)


def _name(organisation: str, part: str) -> x509.Name:
    attributes = ((NameOID.ORGANIZATION_NAME, organisation[:_NAME_MOST]), (NameOID.COMMON_NAME, part))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in attributes])


def _usage(*, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signing, key_cert_sign=not signing, crl_sign=not signing, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
