"""The relay's fast encoding of a message is byte for byte what py-amqp writes."""

import pytest
from amqp import Message
from hypothesis import given
from hypothesis import strategies as st

from shared.amqp_publish import EventMessage

pytestmark = pytest.mark.requirement("X3")

short = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(message_id=short, event_type=short, app_id=short, headers=st.dictionaries(short, short, max_size=15))
def test_both_encoders_write_the_same_bytes(message_id, event_type, app_id, headers):
    properties = {
        "content_type": "application/json",
        "delivery_mode": 2,
        "message_id": message_id,
        "type": event_type,
        "app_id": app_id,
        "application_headers": headers,
    }
    ours = EventMessage(b"{}", **properties)._serialize_properties()
    assert ours == Message(b"{}", **properties)._serialize_properties()
