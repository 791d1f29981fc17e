"""The language the window speaks: Qt's translations for its own strings, and the right half of every `Sentence`.

The strings in the code are Chinese; ``resources/translations`` holds the English ones.
"""

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.compose.catalog import Choice
from app.compose.sentence import Sentence
from app.program import resource

TRANSLATIONS = resource("translations")
CHINESE, ENGLISH = "zh_CN", "en"
LANGUAGES = (CHINESE, ENGLISH)


class Words:
    """What to say, in the language in use. One per application; widgets are given it."""

    def __init__(self, language: str = CHINESE) -> None:
        self.language = CHINESE
        self._translators: list[QTranslator] = []
        self.speak(language)

    def speak(self, language: str) -> None:
        """Change the language; every widget gets a LanguageChange event. An unknown language is Chinese."""
        self.language = language if language in LANGUAGES else CHINESE
        QLocale.setDefault(QLocale(self.language))
        self.silence()
        folders = {"qtbase": QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath), "app": str(TRANSLATIONS)}
        self._translators = [QTranslator() for _ in folders]
        for translator, (name, folder) in zip(self._translators, folders.items(), strict=True):
            if translator.load(f"{name}_{self.language}", folder):
                QCoreApplication.installTranslator(translator)

    def silence(self) -> None:
        """Take the translations back out of the application."""
        for translator in self._translators:
            QCoreApplication.removeTranslator(translator)
        self._translators = []

    def say(self, sentence: Sentence) -> str:
        """The sentence in the language in use."""
        return sentence.in_language(self.language)

    def name(self, choice: Choice) -> str:
        """The name of a catalogue entry in the language in use."""
        return choice.name(self.language)

    def joined(self, parts: list[str]) -> str:
        """Sentences one after the other, as each language spaces them."""
        return ("" if self.language == CHINESE else " ").join(parts)
