"""The protocol, version 1: bytes in, bytes out.

No socket, file, clock or dice of its own: `now`, epochs and random bytes come in as
arguments. The one exception is the randomness that pyca `cryptography` draws by itself
while sealing (RFC 9180 needs fresh bytes there, and pyca takes none from outside).
Steps are numbered as in spec/PROTOCOL.md; comments carry the numbers.
"""
