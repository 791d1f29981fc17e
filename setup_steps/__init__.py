"""From a fresh clone to a running program: what ``run.py`` does. Standard library only, except for one sentence type.

Each step leaves a stamp when it is finished, holding what it depended on; a start whose stamps all hold begins the
program at once. No module here imports anything installed, nor anything of ``app`` but ``app.compose.sentence``.
"""
