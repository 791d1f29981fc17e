"""The window. Qt lives here and nowhere else; nothing outside imports this package but the command that opens it.

This package never opens a model, hashes a file or decodes a token: that happens in child processes it watches.
"""
