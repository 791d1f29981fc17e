"""The program's commands: the only place where models, engine and compose meet without a window."""
