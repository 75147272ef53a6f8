"""The intervals that a run builds, for any inputs and any built intervals."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from penstock.intervals.staleness import BuiltInterval, RequestedIntervals, StaleIntervals, find_stale

Wanted = dict[date, dict[str, str]]
BuiltIntervals = dict[date, BuiltInterval]

MONTHS = [date(2024, month, 1) for month in range(1, 7)]
months = st.sampled_from(MONTHS)
inputs = st.dictionaries(st.sampled_from(["lake.green", "w.zones"]), st.sampled_from("ab"), max_size=2)
wanted_ = st.dictionaries(months, inputs)
built_ = st.dictionaries(
    months, st.builds(BuiltInterval, st.just("batch"), inputs, st.sampled_from(["now", "then"]), st.just(3))
)
asked_ = st.builds(
    RequestedIntervals, st.booleans(), st.none() | months, st.none() | months, st.none() | st.tuples(months, months)
)
JANUARY, FEBRUARY, MARCH, APRIL = MONTHS[:4]


def after(wanted: Wanted, built: BuiltIntervals, choice: StaleIntervals) -> BuiltIntervals:
    """Return the intervals of the table after the stale ones were built by the current code."""
    made = {day: BuiltInterval("new", wanted[day], "now", 4) for day in choice.reasons if day in wanted}
    return {day: held for day, held in built.items() if day not in choice.reasons} | made


@given(wanted_, built_, st.booleans())
def test_built_intervals_are_not_built_again(wanted: Wanted, built: BuiltIntervals, rebuild: bool) -> None:
    """After a run the table has the intervals of its inputs, and the next run builds nothing."""
    choice = find_stale(wanted, built, "now", RequestedIntervals(), rebuild)
    then = after(wanted, built, choice)
    assert {day: held.inputs for day, held in then.items()} == wanted
    again = find_stale(wanted, then, "now", RequestedIntervals(), rebuild)
    assert again.reasons == {}
    assert again.older_code == choice.older_code
    assert not (rebuild and choice.older_code)


@given(wanted_, built_, asked_, st.booleans())
def test_only_requested_or_stale_intervals_are_built(
    wanted: Wanted, built: BuiltIntervals, asked: RequestedIntervals, rebuild: bool
) -> None:
    choice = find_stale(wanted, built, "now", asked, rebuild)
    known = {*wanted, *built}
    plain = set(find_stale(wanted, built, "now", RequestedIntervals(), rebuild).reasons)
    allowed = {day for day in known if asked.within is None or asked.within[0] <= day < asked.within[1]}
    if asked.full_refresh:
        expected = known & allowed
    elif asked.start or asked.end:
        expected = {d for d in allowed if (not asked.start or d >= asked.start) and (not asked.end or d < asked.end)}
    else:
        expected = plain & allowed
    assert set(choice.reasons) == expected
    assert list(choice.reasons) == sorted(choice.reasons)
    assert all(choice.reasons.values()), "each has a reason"


@given(wanted_, built_, asked_, st.booleans())
def test_intervals_of_older_code(
    wanted: Wanted, built: BuiltIntervals, asked: RequestedIntervals, rebuild: bool
) -> None:
    """They are the intervals whose rows are still those of other code after the run."""
    choice = find_stale(wanted, built, "now", asked, rebuild)
    left = after(wanted, built, choice)
    assert choice.older_code == tuple(sorted(day for day, held in left.items() if day in wanted and held.code != "now"))


def test_the_reasons() -> None:
    built = {
        JANUARY: BuiltInterval("b", {"lake.green": "1", "lake.yellow": "1"}, "now", 1),
        FEBRUARY: BuiltInterval("b", {"lake.green": "1"}, "now", 1),
        MARCH: BuiltInterval("b", {"lake.green": "1"}, "then", 1),
    }
    wanted = {JANUARY: {"lake.green": "2"}, MARCH: {"lake.green": "1"}, APRIL: {"lake.green": "1"}}
    assert find_stale(wanted, built, "now", RequestedIntervals(), rebuild=True).reasons == {
        JANUARY: "lake.green, lake.yellow changed",
        FEBRUARY: "removed",
        MARCH: "code changed",
        APRIL: "new",
    }
    warned = find_stale(wanted, built, "now", RequestedIntervals(), rebuild=False)
    assert MARCH not in warned.reasons and warned.older_code == (MARCH,)
    assert find_stale(wanted, built, "now", RequestedIntervals(start=MARCH, end=APRIL), rebuild=False).reasons == {
        MARCH: "asked for"
    }
    assert set(
        find_stale(wanted, built, "now", RequestedIntervals(full_refresh=True), rebuild=False).reasons.values()
    ) == {"full refresh"}
