"""Cursor values: what apps write where the order of changes is expected."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.connectors.executor.cursors import Cursors, Step
from gateway.models import CursorOrder, CursorSync, CursorType
from gateway.sync import marks
from tests.support.examples import ANY_JSON

CURSORS = st.builds(
    Cursors,
    is_time=st.booleans(),
    times_are=st.sampled_from(["auto", "epoch_s", "epoch_ms"]),
    granularity=st.sampled_from([0, 1e-6, 0.001, 1, 60, 86_400]),
    is_inclusive=st.booleans(),
)
COUNTS = Cursors(is_time=False, times_are="auto", granularity=0, is_inclusive=True)


@given(value=ANY_JSON, cursors=CURSORS)
@example(value=10**400, cursors=COUNTS)
@example(value=str(10**400), cursors=COUNTS)
def test_whatever_stands_in_a_record_is_no_value_or_one_that_json_carries(value, cursors):
    read = cursors.read(value)

    for told in (cursors.start(read), cursors.end(read), cursors.end(read, is_included=False)):
        assert json.loads(json.dumps(told, allow_nan=False)) == told
    step = Step(start=read)
    assert Step.of_token(json.loads(json.dumps(step.as_token())), is_time=cursors.is_time) == step
    sync = CursorSync(type=CursorType.DATETIME if cursors.is_time else CursorType.COUNT, order=CursorOrder.ASCENDING)
    assert marks.decode(json.loads(json.dumps(marks.encode(read))), sync) == read
