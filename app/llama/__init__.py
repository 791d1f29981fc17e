"""llama.cpp as Python objects: a file opened, a context that evaluates tokens, and what it logs. Samples nothing.

The engine writes with it and the training measures with it; neither knows a pointer. It knows nothing of greetings.
"""
