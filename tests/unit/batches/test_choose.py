"""Which intervals a run builds, for any inputs and any past."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from penstock.intervals.staleness import Asked, Built, choose

MONTHS = [date(2024, month, 1) for month in range(1, 7)]
months = st.sampled_from(MONTHS)
inputs = st.dictionaries(st.sampled_from(["lake.green", "w.zones"]), st.sampled_from("ab"), max_size=2)
wanted_ = st.dictionaries(months, inputs)
built_ = st.dictionaries(
    months, st.builds(Built, st.just("batch"), inputs, st.sampled_from(["now", "then"]), st.just(3))
)
asked_ = st.builds(Asked, st.booleans(), st.none() | months, st.none() | months, st.none() | st.tuples(months, months))
JANUARY, FEBRUARY, MARCH, APRIL = MONTHS[:4]


def after(wanted, built, choice):
    """The intervals in the table once a choice was built by today's code."""
    made = {day: Built("new", wanted[day], "now", 4) for day in choice.build if day in wanted}
    return {day: held for day, held in built.items() if day not in choice.build} | made


@given(wanted_, built_, st.booleans())
def test_what_was_built_is_not_built_again(wanted, built, rebuild):
    """A plain run leaves nothing for the next one, and a table of the inputs' intervals."""
    choice = choose(wanted, built, "now", Asked(), rebuild)
    then = after(wanted, built, choice)
    assert {day: held.inputs for day, held in then.items()} == wanted
    again = choose(wanted, then, "now", Asked(), rebuild)
    assert again.build == {}
    assert again.outdated == choice.outdated
    assert not (rebuild and choice.outdated)


@given(wanted_, built_, asked_, st.booleans())
def test_only_what_may_be_built_is_built(wanted, built, asked, rebuild):
    choice = choose(wanted, built, "now", asked, rebuild)
    known = {*wanted, *built}
    plain = set(choose(wanted, built, "now", Asked(), rebuild).build)
    allowed = {day for day in known if asked.within is None or asked.within[0] <= day < asked.within[1]}
    if asked.full:
        expected = known & allowed
    elif asked.start or asked.end:
        expected = {d for d in allowed if (not asked.start or d >= asked.start) and (not asked.end or d < asked.end)}
    else:
        expected = plain & allowed
    assert set(choice.build) == expected
    assert list(choice.build) == sorted(choice.build)
    assert all(choice.build.values()), "each has a reason"


@given(wanted_, built_, asked_, st.booleans())
def test_what_stays_of_another_code_is_named(wanted, built, asked, rebuild):
    """Every interval whose rows are another code's when the run has ended, and no other."""
    choice = choose(wanted, built, "now", asked, rebuild)
    left = after(wanted, built, choice)
    assert choice.outdated == tuple(sorted(day for day, held in left.items() if day in wanted and held.code != "now"))


def test_each_reason_in_words():
    built = {
        JANUARY: Built("b", {"lake.green": "1", "lake.yellow": "1"}, "now", 1),
        FEBRUARY: Built("b", {"lake.green": "1"}, "now", 1),
        MARCH: Built("b", {"lake.green": "1"}, "then", 1),
    }
    wanted = {JANUARY: {"lake.green": "2"}, MARCH: {"lake.green": "1"}, APRIL: {"lake.green": "1"}}
    assert choose(wanted, built, "now", Asked(), rebuild=True).build == {
        JANUARY: "lake.green, lake.yellow changed",
        FEBRUARY: "removed",
        MARCH: "code changed",
        APRIL: "new",
    }
    warned = choose(wanted, built, "now", Asked(), rebuild=False)
    assert MARCH not in warned.build and warned.outdated == (MARCH,)
    assert choose(wanted, built, "now", Asked(start=MARCH, end=APRIL), rebuild=False).build == {MARCH: "asked for"}
    assert set(choose(wanted, built, "now", Asked(full=True), rebuild=False).build.values()) == {"full refresh"}
