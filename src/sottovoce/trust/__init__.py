"""Trust: untrusted bytes become verified objects, or an error; and the office's signing.

Every signed thing has one form (spec 8). `Untrusted….verify(anchor, now)` is the only way
to a trusted one. Private keys at rest are locked with a passphrase (`locked`).
"""
