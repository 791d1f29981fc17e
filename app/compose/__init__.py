"""What a greeting is: its catalogue, its request, its prompt, and what is wrong with a text.

This package knows nothing of Qt, of llama.cpp or of files beyond ``resources/``, and imports nothing else of ours.
"""
