"""Rules for tests: any that the API takes, as text."""

from hypothesis import strategies as st

from todo.recurrence.parts import WEEKDAYS

weekdays = st.sampled_from(WEEKDAYS)
_ordinals = st.sampled_from([*range(-5, 0), *range(1, 6)]).map(str)
_days_of_month = st.sampled_from([*range(-31, 0), *range(1, 32)])
_positions = st.sampled_from([-1, 1, 2, -2, 3, 5, 9, -9, 31, 100, 366, -366])
_intervals = st.sampled_from([1, 1, 2, 3, 4, 7, 12, 18, 100, 999]) | st.integers(1, 999)
_ends = st.one_of(
    st.just(""),
    st.integers(1, 999).map("COUNT={}".format),
    st.dates().map(lambda day: f"UNTIL={day.isoformat().replace('-', '')}"),
    st.datetimes().map(lambda at: f"UNTIL={at:%m%dT%H%M%SZ}".replace("=", f"={at.year:04}")),
)


def _list(values, most):
    lists = st.lists(values.map(str), min_size=1, max_size=most, unique=True)
    return lists.map(",".join)


def _part(name, values):
    return st.just("") | values.map(f"{name}={{}}".format)


def _together(freq, *parts):
    return st.tuples(st.just(f"FREQ={freq}"), *parts).map(lambda all_: ";".join(filter(None, all_)))


_interval = _part("INTERVAL", _intervals)
_plain_days = _part("BYDAY", _list(weekdays, 7))
_day_lists = _list(weekdays | st.builds(str.__add__, _ordinals, weekdays), 6)
_by_day = _part("BYDAY", _day_lists)
_by_month_day = _part("BYMONTHDAY", _list(_days_of_month, 6))
_months = _list(st.integers(1, 12), 4)
_set_pos = _list(_positions, 3).map("BYSETPOS={}".format)

daily = _together("DAILY", _interval, _plain_days)
weekly = _together("WEEKLY", _interval, _plain_days, _part("WKST", weekdays))
monthly = _together("MONTHLY", _interval, _by_day, _by_month_day, _part("BYMONTH", _months))
yearly = st.one_of(
    _together("YEARLY", _interval),
    _together("YEARLY", _interval, _by_day, _by_month_day, _months.map("BYMONTH={}".format)),
)
_chosen = st.builds(
    lambda text, places: f"{text};{places}" if "BY" in text else text, monthly | yearly, _set_pos
)
endless = daily | weekly | monthly | yearly | _chosen
"""Rules without COUNT and UNTIL."""
rules = st.builds(lambda text, end: f"{text};{end}" if end else text, endless, _ends)
