"""The desk: a member's program, with keys that never leave their machine.

`vault` keeps everything encrypted, `sync` talks to the pool by a `Road` that is handed in, `join` makes a
device a member's. Nothing here opens a socket. What a message holds is hostile text: who prints it cleans it.
"""
