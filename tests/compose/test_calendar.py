"""Festival days and animals come from the lunar calendar, for any year."""

from datetime import date

import pytest

from app.compose.calendar import coming_zodiac, likely_occasion, new_years_day


@pytest.mark.parametrize(
    ("year", "day"), [(2000, (2, 5)), (2026, (2, 17)), (2027, (2, 6)), (2033, (1, 31)), (2034, (2, 19)), (2060, (2, 2))]
)
def test_new_years_day(year: int, day: tuple[int, int]):
    assert new_years_day(year) == date(year, *day)


@pytest.mark.parametrize(
    ("today", "animal"),
    [
        (date(2026, 1, 10), "马"),
        (date(2026, 2, 16), "马"),
        (date(2026, 3, 3), "马"),
        (date(2026, 11, 22), "羊"),
        (date(2027, 2, 6), "羊"),
        (date(2028, 1, 1), "猴"),
    ],
)
def test_the_animal_is_that_of_the_year_being_welcomed(today: date, animal: str):
    assert coming_zodiac(today) == animal


@pytest.mark.parametrize(
    ("today", "occasion"),
    [
        (date(2026, 11, 22), "spring_festival"),
        (date(2026, 12, 31), "new_year"),
        (date(2027, 1, 1), "new_year"),
        (date(2027, 1, 20), "spring_festival"),
        (date(2027, 1, 30), "little_new_year"),
        (date(2027, 1, 31), "little_new_year"),
        (date(2027, 2, 5), "new_years_eve"),
        (date(2027, 2, 6), "spring_festival"),
        (date(2027, 2, 12), "back_to_work"),
        (date(2027, 2, 20), "lantern_festival"),
        (date(2027, 3, 10), "spring_festival"),
        # The year 2033: 春节 falls in January, the leap month after the eleventh makes the next one late.
        (date(2033, 1, 30), "new_years_eve"),
        (date(2034, 2, 18), "new_years_eve"),
    ],
)
def test_the_occasion_follows_the_day(today: date, occasion: str):
    assert likely_occasion(today) == occasion
