"""Proof of a call: who signed off its texts, hashes of its files, C2PA, QR codes, what a found file carries."""
