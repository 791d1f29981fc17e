"""What systems are called: a temperature in a name is that system's, and nothing else is taken for one."""

import pytest

from training.errors import TrainingError
from training.evaluation.names import at_temperature, checked_name, order_of, parts_of, title_of


def test_a_temperature_in_a_name_is_the_system_s():
    assert parts_of("lora-at-0.7") == ("lora", 0.7) and parts_of("lora") == ("lora", None)
    assert at_temperature("rag", 1.0) == "rag-at-1" and at_temperature("rag", 1e-5) == "rag-at-0.00001"
    assert checked_name("lora-at-0.70") == checked_name("lora-at-0.7") == "lora-at-0.7"
    assert title_of("lora-at-0.7").zh == "微调（温度 0.7）"


@pytest.mark.parametrize("name", ["magic", "magic-at-1", "lora-at-", "lora-at--1", "lora-at-nan", "lora-at-10.5", ""])
def test_another_name_is_none(name: str):
    with pytest.raises(TrainingError) as caught:
        checked_name(name)
    assert "lora-at-0.7" in caught.value.sentence.zh


def test_a_run_of_a_study_is_its_own_kind():
    assert parts_of("poor-25") == ("poor-25", None) and title_of("poor-25").en == "poor-25"


def test_each_system_stands_before_its_other_temperatures():
    names = ["corpus", "whole", "lora-at-0.7", "rag", "lora", "prompt"]
    assert sorted(names, key=order_of) == ["prompt", "rag", "lora", "lora-at-0.7", "corpus", "whole"]
