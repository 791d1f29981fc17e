"""Which festival a day belongs to and which animal's year is being welcomed, from the lunar calendar."""

from datetime import date, timedelta

from lunar_python import Lunar, Solar

_SIMPLIFIED = {"龍": "龙", "馬": "马", "雞": "鸡", "豬": "猪"}


def new_years_day(year: int) -> date:
    """The Gregorian date of the first day of lunar year ``year`` (春节)."""
    solar = Lunar.fromYmd(year, 1, 1).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


def welcomed_year(today: date) -> int:
    """The lunar year people wish each other on ``today``: the new one up to mid-year, then already the next.

    Greetings for a year go on through its first months; from July on a greeting looks forward to the coming one.
    """
    return today.year if today.month < 7 else today.year + 1


def coming_zodiac(today: date) -> str:
    """The animal, one character, of the year being welcomed on ``today``."""
    animal = Lunar.fromYmd(welcomed_year(today), 1, 1).getYearShengXiao()
    return _SIMPLIFIED.get(animal, animal)


def likely_occasion(today: date) -> str:
    """The occasion id a message sent on ``today`` is most likely for.

    小年 covers the northern and the southern day (腊月二十三 and 二十四). 开工 runs from the seventh of the first
    month, when offices open, to the eighteenth, but for 元宵 and its eve.
    """
    around_new_year = (today.month == 12 and today.day >= 25) or (today.month == 1 and today.day <= 3)
    if around_new_year:
        return "new_year"
    lunar = Solar.fromYmd(today.year, today.month, today.day).getLunar()
    month, day = lunar.getMonth(), lunar.getDay()
    tomorrow = today + timedelta(days=1)
    if tomorrow == new_years_day(tomorrow.year):
        return "new_years_eve"
    if month == 12 and day in (23, 24):
        return "little_new_year"
    if month == 1 and day in (14, 15):
        return "lantern_festival"
    if month == 1 and 7 <= day <= 18:
        return "back_to_work"
    return "spring_festival"
