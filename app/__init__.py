"""拜年帖: writes the Spring Festival message you would have written yourself, to one particular person."""

__version__ = "0.1.0"
