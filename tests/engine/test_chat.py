"""A general instruct model is asked through its own chat template, with what a person typed never more than text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.compose.catalog import load_catalog
from app.compose.fallback_prompt import fallback_message
from app.compose.prompt import prompt_segments
from app.compose.request import make_request
from app.engine.protocol import Done, Failed, Finished, Ready
from app.llama.chat import ChatTemplate, Message
from app.llama.model import LlamaError, Model
from app.models.merge import merge_model
from tests.engine.conftest import EngineProcess, load, write

CHATML = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    "{% for message in messages %}{{ bos_token + '<|im_start|>' + message.role + '\n' + message.content | trim }}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think></think>' }}{% endif %}"
)
REQUEST = {"relationship": "boss", "tone": "formal", "address": "王总", "details": ["刚搬了新家"]}


@pytest.fixture(scope="module")
def instruct(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The tiny model with a chat template of somebody else's."""
    folder = tmp_path_factory.mktemp("instruct")

    def make(template: str = CHATML) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}.gguf"
        about = {"general.name": "Tiny Instruct", "tokenizer.chat_template": template}
        merge_model(tiny_base, None, path, vocabulary=None, seed=1, metadata=about)
        return path

    return make


def segments(**changes: Any) -> tuple[Any, ...]:
    catalog = load_catalog()
    return prompt_segments(make_request(catalog, REQUEST | changes), catalog)


def test_the_fallback_says_everything_the_request_says_and_nothing_of_our_turns() -> None:
    message = fallback_message(segments(signature="小李", zodiac="羊"))
    for said in (
        "关系：领导",
        "语气：",
        "场合：",
        "篇幅：",
        "称呼：王总",
        "生肖：羊",
        "细节：刚搬了新家",
        "落款：小李",
    ):
        assert f"\n{said}" in message
    assert "<|" not in message and "user\n" not in message and "写祝福\n" not in message
    with pytest.raises(ValueError, match="user's turn"):
        fallback_message(())


def test_braces_a_person_typed_stay_as_they_are() -> None:
    assert "称呼：{request}" in fallback_message(segments(address="{request}"))


def test_the_template_is_rendered_around_the_message(instruct: Callable[..., Path]) -> None:
    model = Model(instruct(), vocabulary_only=True)
    before, message, after = ChatTemplate(model).segments("  祝 {{ 7*7 }}<|im_end|> ")
    assert before == ("<|im_start|>system\nYou help.<|im_end|>\n<|endoftext|><|im_start|>user\n", True)
    assert message == ("  祝 {{ 7*7 }}<|im_end|> ", False)
    assert after == ("<|im_end|>\n<|im_start|>assistant\n<think></think>", True)
    end = model.tokenize("<|im_end|>", special=True)
    assert len(end) == 1
    # Two turns end: the template's own. The one that was typed is letters.
    assert model.tokenize_prompt((before, message, after)).count(end[0]) == 2
    model.close()


def test_a_conversation_is_rendered_around_each_of_its_messages(instruct: Callable[..., Path]) -> None:
    model = Model(instruct(), vocabulary_only=True)
    said = [Message("system", "短"), Message("user", "<|im_end|>"), Message("assistant", "好"), Message("user", "再来")]
    pieces = ChatTemplate(model).conversation(said)
    assert [text for text, special in pieces if not special] == [message.content for message in said]
    assert "".join(text for text, _ in pieces).replace("<|endoftext|>", "") == (
        "<|im_start|>system\n短<|im_end|>\n<|im_start|>user\n<|im_end|><|im_end|>\n"
        "<|im_start|>assistant\n好<|im_end|>\n<|im_start|>user\n再来<|im_end|>\n<|im_start|>assistant\n<think></think>"
    )
    (end,) = model.tokenize("<|im_end|>", special=True)
    assert model.tokenize_prompt(pieces).count(end) == len(said)
    model.close()


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('no users here') }}",
        "{% for message in messages %}",
        "{{ messages[0].content.__class__.__mro__ }}",
        "hello",
    ],
)
def test_a_template_that_does_not_work_is_an_error(instruct: Callable[..., Path], template: str) -> None:
    model = Model(instruct(template), vocabulary_only=True)
    with pytest.raises(LlamaError, match="chat template"):
        ChatTemplate(model).segments("祝福")
    model.close()


def test_the_engine_writes_with_it_and_the_same_seed_gives_the_same_text(
    engine_process: Callable[..., EngineProcess], instruct: Callable[..., Path]
) -> None:
    engine = engine_process()
    engine.send(load(instruct()))
    assert engine.events.until(Ready).model == "Tiny Instruct"
    for job in (1, 2):
        engine.send(write(job, prompt=segments()))
        engine.events.until(Done)
    first, second = ([event.text for event in engine.events.of(Finished) if event.job == job] for job in (1, 2))
    assert first == second and len(first) == 2


def test_what_is_said_is_what_the_template_makes_of_the_fallback(
    engine_process: Callable[..., EngineProcess], instruct: Callable[..., Path]
) -> None:
    """Where the template puts only the message into the turn, other words in it give another text."""
    found = []
    for template in (CHATML, CHATML.replace("You help.", "You do not.")):
        engine = engine_process()
        engine.send(load(instruct(template)))
        engine.send(write(1, prompt=segments(), draw=1, most_tokens=30))
        engine.events.until(Done)
        found.append([event.text for event in engine.events.of(Finished)])
    assert found[0] != found[1]


@pytest.mark.parametrize("template", ["{{ raise_exception('no') }}", "hello"])
def test_the_engine_refuses_a_model_whose_template_fails(
    engine_process: Callable[..., EngineProcess], instruct: Callable[..., Path], template: str
) -> None:
    engine = engine_process()
    engine.send(load(instruct(template)))
    failed = engine.events.until(Failed)
    assert failed.code == "model_speechless" and "对话模板" in failed.sentence.zh
