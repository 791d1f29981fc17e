"""Whom a person writes to, and everything that was ever written: one SQLite file. No Qt, no llama.cpp.

A :class:`~app.people.store.Store` is the open file; the other modules are functions over it. It belongs to the thread
that opened it.
"""
