"""Draws the ornaments of the cards into ``drawings/*.yaml``: ``python resources/cards/draw`` after changing one.

The same program makes the same files. It needs nothing but Python. The animals of the zodiac, ``drawings/鼠.yaml`` and
so on, were drawn by hand and are not made here.
"""

from flowers import narcissus, plum
from patterns import coins, fret, lantern, moon_window, papercut
from scenes import mountains, night


def main() -> None:
    """Makes the files."""
    for draw in (plum, narcissus, mountains, night, coins, moon_window, lantern, papercut, fret):
        draw()


if __name__ == "__main__":
    main()
