"""What can go wrong inside the engine, as errors a person can act on."""

from pathlib import Path

from app.compose.sentence import ExplainedError, Sentence


class EngineError(ExplainedError):
    """The engine cannot do what was asked.

    Args:
        code: one of the codes of :class:`app.engine.protocol.Failed`.
    """

    def __init__(self, code: str, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.code = code


class OpeningStopped(Exception):
    """Opening a model was given up because somebody asked for it; nobody needs to be told."""


def bad_request(zh: str, en: str, detail: str = "") -> EngineError:
    """A job that asks for something the engine does not do."""
    return EngineError("bad_request", Sentence(zh, en), detail)


def prompt_too_long(tokens: int, most: int) -> EngineError:
    """The prompt and one candidate do not fit into the context together."""
    return EngineError(
        "prompt_too_long",
        Sentence(
            f"填的内容太长，模型一次读不下（大约是上限的 {tokens / most:.1f} 倍）。请删短一些再写。",
            f"What was filled in is too long for the model to read at once ({tokens / most:.1f} times what fits). "
            "Shorten it and try again.",
        ),
        f"{tokens} tokens; at most {most}",
    )


def context_too_small(context: int, most_tokens: int) -> EngineError:
    """The context has no room for a text as long as it may become and a prompt of any use."""
    return bad_request(
        f"模型的上下文一共只有 {context} 个词元，放不下最长 {most_tokens} 个词元的一篇祝福和写它的要求。"
        "请选短一些的篇幅，或把上下文调大。",
        f"The model's context holds {context} tokens, too few for a text of up to {most_tokens} and what it is to be "
        "about. Choose a shorter length, or a larger context.",
    )


def out_of_memory(detail: str) -> EngineError:
    """Neither the model nor the work on it fits into memory."""
    return EngineError(
        "out_of_memory",
        Sentence(
            "内存不够，这一步没有做成。关掉一些占内存的程序再试；已写好的文字都还在。",
            "There is not enough memory for this. Close some programs and try again; what was written is kept.",
        ),
        detail,
    )


def model_unsupported(detail: str, architecture: str = "") -> EngineError:
    """llama.cpp will not open the file, whose structure is sound; ``architecture`` is named where that is why."""
    named = (f"（{architecture}）", f" ({architecture})") if architecture else ("", "")
    return EngineError(
        "model_unsupported",
        Sentence(
            f"这个模型文件打不开：现在的写作引擎不认识它的结构{named[0]}。请更新本程序，或另选一个模型。",
            f"This model file cannot be opened: the engine does not know its structure{named[1]}. Update this program, "
            "or choose another model.",
        ),
        detail,
    )


def model_changed(path: Path) -> EngineError:
    """The file was written to, replaced or removed while it was opened."""
    return EngineError(
        "model_changed",
        Sentence(
            f"模型文件 {path.name} 在打开的时候被别的程序换过或改过，没有使用它。等那边做完，再打开一次。",
            f"Another program replaced or changed the model file {path.name} while it was opened, so it is not used. "
            "Open it again when that has finished.",
        ),
        str(path),
    )


def model_speechless(detail: str) -> EngineError:
    """The chat template of the file does not work, so that nothing can be asked of it."""
    return EngineError(
        "model_speechless",
        Sentence(
            "这个模型带的对话模板用不了，没法让它按要求写祝福。请换一个版本或另选一个模型。",
            "The chat template of this model does not work, so it cannot be asked for a greeting. Choose another "
            "version of it, or another model.",
        ),
        detail,
    )


def model_damaged(detail: str) -> EngineError:
    """The model opens, but what it computes are not numbers."""
    return EngineError(
        "model_damaged",
        Sentence(
            "这个模型算不出正常的结果，文件很可能已损坏。请到“模型”页重新下载。",
            "This model does not compute anything sensible; its file is most likely damaged. Download it again on the "
            "page Models.",
        ),
        detail,
    )


def internal(detail: str) -> EngineError:
    """A fault of ours."""
    return EngineError(
        "internal",
        Sentence(
            "写作引擎内部出错，这一条没有写成。再试一次；如果总是这样，请把详情发给我们。",
            "The engine failed inside, and this text was not written. Try again; if it keeps happening, send us the "
            "details.",
        ),
        detail,
    )
