"""From a checkout to something that is downloaded once and double-clicked: what ``run.py bundle`` does.

A bundle is a folder: one executable, and beside it Python, Qt, llama.cpp and the program's data. It is built for the
system it is built on, from an environment of its own, and what is made of the folder (archive, package, installer,
disk image) is each system's own module.
"""
