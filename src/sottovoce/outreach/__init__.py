"""Calls: an organisation's films, leaflets and pages that ask insiders to come forward, with the proof.

A call is a folder that a communications person keeps in git. Nothing here sees a message or a source.

    call.py     the folder, read and checked for its form      steps.py    what depends on what; builds what changed
    words/      the program's own sentences, six languages     film/       pictures, sound, captions, end card
    paper/      leaflets, one-file pages, mirrors, press page  proof/      hashes, C2PA, QR codes, what a file carries
    example/    the worked example that `call new` makes
"""
