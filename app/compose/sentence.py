"""A sentence shown to a person, in both languages the program speaks, and the error that carries one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """What happened, what it means and what to do, in Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh

    def in_language(self, language: str) -> str:
        """The text for a locale name such as ``zh_CN`` or ``en``; anything that is not Chinese reads English."""
        return self.zh if language.startswith("zh") else self.en


class ExplainedError(Exception):
    """An error a person can act on; the root of every exception family of this program.

    Args:
        sentence: what the person is told.
        detail: the technical cause, one click away and copyable; never shown on its own.
    """

    def __init__(self, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence.zh)
        self.sentence = sentence
        self.detail = detail
