"""``--self-test``: whether this program works on this machine. Opens the model, writes one greeting, prints JSON."""

import json
import platform
import time
from pathlib import Path
from typing import Any

from app import __version__, program
from app.commands.model_choice import choose_model
from app.commands.trial import REQUEST, SEED
from app.commands.writer import Writer
from app.compose.catalog import load_catalog
from app.compose.request import make_request
from app.compose.sentence import ExplainedError, Sentence
from app.engine.errors import EngineError


def run(model: Path | None, device: str) -> int:
    """Test. Returns 0, or 1 when something does not work; what does not is in the JSON object printed either way.

    Args:
        model: a GGUF file; None for the one in use.
        device: ``auto`` or ``cpu``.
    """
    facts = {
        "version": __version__,
        "bundle": program.BUNDLED,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    try:
        facts |= _write_one(model, device)
    except ExplainedError as error:
        failure = {"code": getattr(error, "code", "failed"), "zh": error.sentence.zh, "en": error.sentence.en}
        print(json.dumps({"ok": False, **facts, **failure, "detail": error.detail}, ensure_ascii=False, indent=1))
        return 1
    print(json.dumps({"ok": True, **facts}, ensure_ascii=False, indent=1))
    return 0


def _write_one(model: Path | None, device: str) -> dict[str, Any]:
    """What came of one request, and of what the engine said when it was ready.

    Raises:
        ExplainedError: there is no model, it does not open, or nothing was written.
    """
    catalog = load_catalog()
    choice = choose_model(model)
    began = time.monotonic()
    with Writer(choice.path, catalog, choice.sampling, choice.draw, sha256=choice.sha256, device=device) as writer:
        opened = time.monotonic()
        written = writer.write(make_request(catalog, REQUEST), 1, SEED)
    texts = [candidate for candidate in written.candidates if candidate.text]
    if not texts or writer.ready is None:
        raise EngineError(
            "nothing_written",
            Sentence(
                "模型打开了，却什么也没有写出来。请换一个模型再试。", "The model opened and wrote nothing. Try another."
            ),
        )
    ready = writer.ready
    return {
        "model": ready.model,
        "device": ready.device,
        "reason": {"zh": ready.reason.zh, "en": ready.reason.en},
        "threads": ready.threads,
        "found": list(ready.found),
        "greeting": texts[0].text,
        "faults": [fault.sentence.zh for fault in texts[0].faults],
        "seconds": {"open": round(opened - began, 2), "write": round(written.seconds, 2)},
    }
