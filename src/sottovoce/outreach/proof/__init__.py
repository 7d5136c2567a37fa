"""Proof of a call: who signed off its texts, what its files are, and what a file found somewhere carries.

Texts: said.py, review.py. Files: listing.py, publications.py, places.py. Provenance: c2pa.py, certify.py, metadata.py.
Found files: verify.py judges what evidence.py gathers by frames.py, markup.py, qr.py, ocr.py and onions.py.
"""
