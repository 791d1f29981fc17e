"""llama.cpp in a process of its own. No Qt here; llama.cpp only in ``runtime`` and ``device``, in the child process."""
