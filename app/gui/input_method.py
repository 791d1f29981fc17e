"""Which input method module Qt is to load.

Qt as it is published for Python carries modules for ibus and for the compose key, and none for fcitx. But fcitx also
speaks as ibus does, so ibus's module serves its users: with ``QT_IM_MODULE=fcitx`` alone nobody could write Chinese.
"""

from collections.abc import Mapping

_SPOKEN_LIKE_IBUS = ("fcitx", "ibus")


def input_modules(environment: Mapping[str, str]) -> str | None:
    """What ``QT_IM_MODULES`` (Qt 6.7) is to be set to: what the desktop asks for, and ibus's module where that is
    missing; None where what is set is good, or nothing is known of an input method.

    Without a word to Qt, X11's own ``XMODIFIERS=@im=…`` tells which one runs; a Wayland compositor has its own way.
    """
    if environment.get("QT_IM_MODULES"):
        return None
    asked = environment.get("QT_IM_MODULE", "")
    if asked.startswith("fcitx"):
        return f"{asked};ibus"
    told = environment.get("XMODIFIERS", "").partition("@im=")[2]
    if not asked and not environment.get("WAYLAND_DISPLAY") and told.startswith(_SPOKEN_LIKE_IBUS):
        return "ibus"
    return None
