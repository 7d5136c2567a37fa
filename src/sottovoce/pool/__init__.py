"""The pool: sealed envelopes, all of one size, that cannot tell which belong together.

What a change or theft of its store costs: a thief learns how many envelopes came in which
edition and what is pending, and can read none; who deletes rows withholds messages, which
is noticed only by their not coming; nobody can forge one that a desk or a source accepts.
"""
