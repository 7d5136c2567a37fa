"""Provenance inside a file: a C2PA manifest under the organisation's own certificate, written and read offline.

No timestamp authority is asked, no manifest is fetched, and nothing in a manifest is finer than a day. Platforms strip
it: so the hashes are published too.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import c2pa  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sottovoce.outreach.errors import CallError
from sottovoce.protocol.sizes import EPOCH_SECONDS

CHAIN, KEY = Path("signed/provenance.pem"), Path("secret/provenance.key")  # in a call's folder; the second never in git
Source = Literal["compositeSynthetic", "composite", "digitalCreation"]
State = Literal["none", "broken", "strange", "ours"]
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_CONTEXT = {"dc": "http://purl.org/dc/elements/1.1/"}
_NO_MANIFEST = ("ManifestNotFound", "NotSupported", "Other", "Io")  # none there, or no file of this kind at all
_OFFLINE = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True)
class Manifest:
    """What a manifest says. `source` is IPTC's word for how the file came to be: with a synthetic voice or pictures
    (compositeSynthetic), of recordings (composite), or drawn (digitalCreation). `label` says so in words."""

    title: str
    organisation: str
    language: str
    source: Source
    label: str = ""


@dataclass(frozen=True)
class Credential:
    """What a file carries: none; a broken manifest; a whole one of a stranger; a whole one of the organisation's."""

    state: State
    signer: str = ""
    manifest: Manifest | None = None


@dataclass(frozen=True)
class Signer:
    """Who signs: the chain of certificates and the key, both PEM."""

    chain: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, folder: Path, today: int) -> Signer:
        """The one of a call's folder; CallError where there is none, or where its year is over."""
        try:
            chain, key = ((folder / path).read_text("ascii") for path in (CHAIN, KEY))
        except FileNotFoundError:
            raise CallError(
                f"{folder} has no certificate to sign films with: sottovoce call certificate OFFICE {folder}."
            ) from None
        last = x509.load_pem_x509_certificate(chain.encode()).not_valid_after_utc
        if last.timestamp() <= today * EPOCH_SECONDS:
            raise CallError(f"The certificate ended on {last.date()}: sottovoce call certificate OFFICE {folder}.")
        return cls(chain, key)


def authority_of(folder: Path) -> bytes | None:
    """The organisation's authority below which a call's films are signed, as DER; None where there is none."""
    path = folder / CHAIN
    return x509.load_pem_x509_certificates(path.read_bytes())[-1].public_bytes(Encoding.DER) if path.exists() else None


def can_hold(path: Path) -> bool:
    """Whether a manifest can be put into a file of this kind: films, pictures, PDF."""
    return path.suffix.lower() in (".mp4", ".png", ".jpg", ".jpeg", ".pdf")


def sign(source: Path, target: Path, signer: Signer, manifest: Manifest) -> None:
    """Writes `source` with a manifest in it to `target`; CallError where its form can't hold one."""
    if not can_hold(source):
        raise CallError(f"{source} can't hold a manifest: films, pictures and PDF can.")
    info = c2pa.C2paSignerInfo("es256", signer.chain.encode(), signer.key.encode(), None)
    with c2pa.Context.from_dict(_settings([_authority(signer.chain)])) as context:
        try:
            builder = c2pa.Builder.from_json(json.dumps(_definition(manifest)), context=context)
            with c2pa.Signer.from_info(info) as key, source.open("rb") as taken, target.open("w+b") as made:
                builder.sign(key, _kind(source), taken, made)
        except c2pa.C2paError as error:
            target.unlink(missing_ok=True)
            raise CallError(f"{source} can't be signed, look at the file: {error}.") from error


def read(path: Path, anchors: Sequence[bytes]) -> Credential:
    """What a file carries, checked against the organisation's authorities (`anchors`, DER); never raises for a file."""
    with c2pa.Context.from_dict(_settings(anchors)) as context, path.open("rb") as file:
        try:
            with c2pa.Reader(_kind(path), file, context=context) as reader:
                return _credential(json.loads(reader.json()), trusts=bool(anchors))
        except c2pa.C2paError as error:
            return Credential("none" if str(error).partition(":")[0] in _NO_MANIFEST else "broken")


def _credential(said: dict[str, Any], *, trusts: bool) -> Credential:
    active = said["manifests"][said["active_manifest"]]
    faults = {each["code"] for each in said["validation_results"]["activeManifest"]["failure"]}
    issuer = active.get("signature_info", {}).get("issuer", "")
    if trusts and said["validation_state"] == "Trusted":
        return Credential("ours", issuer, _manifest(active, issuer))
    whole = all(code.startswith("signingCredential.") for code in faults)  # only who signed it is not known
    return Credential("strange" if whole else "broken", issuer, _manifest(active, issuer))


def _manifest(active: dict[str, Any], issuer: str) -> Manifest | None:
    """Our own form of a manifest; None for whatever else it says."""
    by_label = {each["label"]: each.get("data") for each in active.get("assertions", ())}
    try:
        created = by_label["c2pa.actions.v2"]["actions"][0]
        about = by_label["cawg.metadata"]
        source = created["digitalSourceType"].removeprefix(_SOURCE)
        label = about.get("dc:description", [""])[0]
        return Manifest(active.get("title", ""), issuer, about["dc:language"][0], source, label)
    except (KeyError, IndexError, TypeError, AttributeError):
        return None


def _definition(manifest: Manifest) -> dict[str, object]:
    created = {"action": "c2pa.created", "digitalSourceType": _SOURCE + manifest.source}
    about = {
        "@context": _CONTEXT, "dc:title": [manifest.title], "dc:creator": [manifest.organisation],
        "dc:language": [manifest.language], **({"dc:description": [manifest.label]} if manifest.label else {}),
    }  # fmt: skip
    actions = {"actions": [created, {"action": "c2pa.edited"}]}
    return {
        "claim_generator_info": [{"name": "Sottovoce"}],
        "title": manifest.title,
        "assertions": [{"label": "c2pa.actions.v2", "data": actions}, {"label": "cawg.metadata", "data": about}],
    }


def _settings(anchors: Sequence[bytes]) -> dict[str, object]:
    pem = "".join(_pem(each) for each in anchors)
    return {**_OFFLINE, **({"trust": {"user_anchors": pem}} if pem else {})}


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()


def _authority(chain: str) -> bytes:
    return x509.load_pem_x509_certificates(chain.encode())[-1].public_bytes(Encoding.DER)


def _kind(path: Path) -> str:
    return mimetypes.types_map.get(path.suffix.lower(), "application/octet-stream")
