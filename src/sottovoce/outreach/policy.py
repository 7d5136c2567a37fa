"""What an organisation advises, decided once, on the questions on which known programmes contradict one another.

Every text of a call follows it: the sentences on safety are taken from it, and check.py finds texts that differ.
"""

from __future__ import annotations

from typing import Literal

from .form import Form


class Policy(Form):
    """policy.toml: one answer for each clause; a clause's name is its identifier in errors.

    phone: may a source use a phone ("never", or "own": only one that is not tied to them)
    vpn: "none" gives no advice for it and says that Tor suffices; "before" advises one under Tor where Tor is watched
    helper: may somebody else act for the source ("never", or "trusted")
    email: does the organisation answer by e-mail ("never": answers are read with the twelve words only)
    private_mode: is a browser's private mode enough ("never")
    device: "own" means neither the employer's device nor network
    promises: "none" promises no money, visa, protection, answer or full safety
    """

    phone: Literal["never", "own"]
    vpn: Literal["none", "before"]
    helper: Literal["never", "trusted"]
    email: Literal["never"]
    private_mode: Literal["never"]
    device: Literal["own"]
    promises: Literal["none"]
