"""llama.cpp in a process of its own. No Qt here, and llama.cpp only in ``runtime``, which only the child process imports."""
