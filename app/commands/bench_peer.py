"""What llama-cpp-python's own high-level call does with a model, as a process to compare with: one text after another.

Started with the model's path and a number of threads. A line of JSON in (``prompt``, ``seed``, ``most_tokens`` and the
sampling), a line out (``tokens``, ``seconds``). The first line out says that the model is open.
"""

import json
import sys
import time

from llama_cpp import Llama


def main() -> None:
    """Serve until standard input ends."""
    threads = int(sys.argv[2])
    model = Llama(sys.argv[1], n_ctx=1024, n_threads=threads, n_threads_batch=threads, verbose=False)
    print(json.dumps({"threads": threads}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.perf_counter()
        answer = model.create_completion(
            asked["prompt"],
            max_tokens=asked["most_tokens"],
            temperature=asked["temperature"],
            top_p=asked["top_p"],
            min_p=asked["min_p"],
            top_k=0,
            repeat_penalty=1.0,
            seed=asked["seed"],
        )
        taken = time.perf_counter() - began
        print(json.dumps({"tokens": answer["usage"]["completion_tokens"], "seconds": taken}), flush=True)  # type: ignore[index, call-overload]


if __name__ == "__main__":
    main()
