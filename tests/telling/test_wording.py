"""Each kind of delivery has words in each form."""

import pytest

from alerts.farmers.notice import Kind
from alerts.farmers.parcel import Form
from songtien.telling.wording import wording
from tests.telling.world import MINUTE_MS, THERE, World, notice


@pytest.mark.parametrize("form", Form)
def test_everything_that_is_sent_has_words(world: World, form: Form) -> None:
    world.words = wording("tien.vn/nong-dan")
    world.channel.form = form
    direct = world.deliveries.direct
    direct(1, "sms", "code", {"code": "483920", "lang": "vi"}, "c", world.now_ms)
    direct(1, "sms", "welcome", {"lang": "vi"}, "w", world.now_ms)
    direct(1, "sms", "stopped", {"lang": "vi"}, "s", world.now_ms)
    direct(1, "sms", "trial", {"lang": "en"}, "t", world.now_ms)
    world.tell(*(notice(Kind.SALT, place=place) for place in (THERE,)), people=[2])
    world.tell(notice(Kind.SILENT), notice(Kind.OPEN, place=THERE), people=[3])
    world.minutes(2)
    assert {state for state, _ in world.states()} == {"sent"}
    by_key = {each.key: each.text for each in world.channel.parcels}
    assert len(by_key) == 6
    code = by_key["c"]
    assert "483920" in code.body + str(code.params)
    if form is Form.SMS:
        assert all(each.body.isascii() and len(each.body) <= 160 for each in by_key.values())
        salt = next(e.text.body for e in world.channel.parcels if e.address.endswith("02"))
        assert "KHONG LAY" in salt.upper()
    assert world.now_ms >= 2 * MINUTE_MS
