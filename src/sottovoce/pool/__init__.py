"""The pool: sealed envelopes, all of one size, that cannot tell which belong together.

What a change or theft of its store costs: a thief learns what everybody may see, the editions
with their padded counts, and what is pending, in its order of arrival, and can read none; who
deletes withholds messages, which desks notice once they saw the edition; who changes an edition
is found out by its hash; nobody can forge an envelope that a desk or a source accepts.
"""
