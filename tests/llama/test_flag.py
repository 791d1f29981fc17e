"""The flag as native code sees it: through a pointer to a function, without Python."""

from app.llama.flag import Flag


def test_native_code_sees_it_raised_and_lowered() -> None:
    flag, other = Flag(), Flag()
    assert not flag and not flag.look(flag.data)
    flag.raise_()
    assert flag and flag.look(flag.data)
    assert not other and not other.look(other.data)
    flag.lower()
    assert not flag and not flag.look(flag.data)
