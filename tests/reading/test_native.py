"""The C extension by itself: it may be absent, broken, or asked for nonsense."""

import importlib
import threading
from types import SimpleNamespace

import pytest

from ddb_assets.reading import native
from ddb_assets.reading.convert import Converter
from ddb_assets.reading.native import NativeDecoder
from ddb_assets.reading.plan import Plan, raw_plan

pytestmark = pytest.mark.parametrize("reader", ["in C"], indirect=True)

LINE = b'{"Item":{"a":{"S":"x"}}}\n'
NOTHING = (-1,) * 10
TEXT, LIST, STRUCT = (0, 0, 0, ()), 7, 9


def place(**changes):
    """A place for nothing, but for these."""
    found = {
        "text": -1,
        "around": -1,
        "null_flag": -1,
        "accepts_null": False,
        "columns": NOTHING,
        "fields": None,
        "values": None,
        "element": None,
    }
    return tuple((found | changes).values())


def column_of(code, number):
    """The columns of a place that has one, for this type."""
    return tuple(number if i == code else -1 for i in range(10))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (((), True, place(), ()), "neither a map nor text"),
        (((TEXT,), True, place(text=1), ()), "another kind"),
        (((TEXT,), True, place(text=0), (1,)), "not there"),
        (((TEXT,), True, place(text=0), (-1,)), "not there"),
        (((TEXT,), True, place(around=0), ()), "another kind"),
        (((TEXT,), True, place(columns=column_of(1, 0)), ()), "another kind"),
        (((TEXT,), True, place(columns=column_of(1, 7)), ()), "not there"),
        (((TEXT,), True, place(columns=(0,)), ()), "each type"),
        ((((STRUCT, 0, 0, ()),), True, place(columns=column_of(9, 0)), ()), "neither fields"),
        ((((LIST, 0, 0, ()),), True, place(), ()), "one child"),
        ((((LIST, 0, 0, (0,)),), True, place(), ()), "comes after it"),
        ((((10, 0, 0, ()),), True, place(), ()), "kind of column"),
        ((((5, 39, 0, ()),), True, place(), ()), "precision"),
        ((((6, 77, 0, ()),), True, place(), ()), "precision"),
        (((TEXT, (LIST, 0, 0, (0,))), True, place(columns=column_of(8, 1)), ()), "no element"),
        (((TEXT,), True, place(fields=(("a",), ())), ()), "place for each key"),
    ],
)
def test_a_plan_that_does_not_hang_together_is_refused(spec, says):
    """Before any line is read with it."""
    with pytest.raises(ValueError, match=says):
        native.extension().plan(spec)


@pytest.mark.parametrize("spec", [None, (), ((), 1), ((1,), True, place(), ()), ((), True, (), ())])
def test_what_is_no_plan_is_a_type_error(spec):
    """Not a crash."""
    with pytest.raises((TypeError, SystemError)):
        native.extension().plan(spec)


def test_a_capsule_of_another_kind_is_refused():
    """A profile is no plan and a plan no profile."""
    module = native.extension()
    plan = module.plan(((TEXT,), True, place(text=0), (0,)))
    profile = module.profile(100, 100)
    for call in (
        lambda: module.decode(profile, LINE),
        lambda: module.observe(plan, LINE),
        lambda: module.result(plan),
    ):
        with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
            call()
    with pytest.raises(TypeError):
        module.decode(plan, "text")
    with pytest.raises(TypeError):
        module.gather((b"x", "text"))


@pytest.mark.parametrize(("depth", "taken"), [(28, True), (32, False), (150, False)])
def test_what_is_too_deep_for_arrow_to_import_is_left_to_pyarrow(depth, taken):
    """Arrow stops at 64 arrays inside each other; a map with open keys is two."""
    plan = Plan(types=("S",))
    for _ in range(depth):
        plan = Plan(types=("M",), values=plan)
    item = Plan(types=("M",), fields=(("a", plan),))
    decoder = NativeDecoder.of(item, Converter(item), strict=True)
    assert (decoder is not None) == taken
    if decoder is not None:
        typed = b'{"S":"x"}'
        for _ in range(depth):
            typed = b'{"M":{"k":' + typed + b"}}"
        (array,) = decoder.columns(b'{"Item":{"a":' + typed + b"}}\n")
        array.validate(full=True)


def test_one_profile_is_for_one_thread_at_a_time():
    """Two at once are told so, or come one after the other; nothing is counted twice or lost."""
    module = native.extension()
    profile, lines, told = module.profile(100, 100), LINE * 200_000, []

    def observe():
        try:
            module.observe(profile, lines)
        except RuntimeError:
            told.append(1)

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert module.result(profile)["types"]["M"] == 200_000 * (4 - len(told))


@pytest.mark.parametrize("error", [ModuleNotFoundError("no _native"), ImportError("GLIBC_2.99")])
def test_without_the_extension_everything_is_read_by_pyarrow(monkeypatch, error):
    """One that was not built is normal; one that cannot be loaded is worth a warning."""

    def missing(name):
        raise error

    fake = SimpleNamespace(import_module=missing)
    monkeypatch.setattr(native, "importlib", fake)
    if isinstance(error, ModuleNotFoundError):
        assert native.extension.__wrapped__() is None
    else:
        with pytest.warns(RuntimeWarning, match=r"slower without: GLIBC_2\.99"):
            assert native.extension.__wrapped__() is None
    monkeypatch.setattr(native, "importlib", importlib)
    monkeypatch.setattr(native, "extension", lambda: None)
    plan = raw_plan(["a"])
    assert NativeDecoder.of(plan, Converter(plan), strict=True) is None
