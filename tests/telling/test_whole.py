"""From the sign-up to the last message, with all real parts: people, outbox, words, a channel."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from alerts.farmers import outbox
from alerts.farmers.notice import Kind
from alerts.farmers.outbox import Audience
from alerts.farmers.person import Follow
from api.people import ConfirmWhy, SignupWhy, Wish
from api.people.addresses import AddressKind
from api.people.people import People
from ingest.history import StoreReader
from ingest.store import Store
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.deliveries import Deliveries
from songtien.telling.telling import Telling, TellingSettings
from songtien.telling.wording import wording
from tests.e2e.running import eventually, now_ms
from tests.telling.world import ALL, HERE, LEVEL, notice

AGO_MS = 120_000


def test_somebody_signs_up_is_told_and_leaves(tmp_path: Path) -> None:
    path = tmp_path / "sent.jsonl"
    own = {"path": path, "form": "sms", "show_addresses": True}
    channel = ChannelSettings("sms", "file", 100.0, 1.0, None, 300, own=own)
    deaths: list[BaseException] = []

    def sent(number: int) -> list[dict[str, Any]]:
        def look() -> list[dict[str, Any]] | None:
            lines = path.read_text().splitlines() if path.exists() else []
            return [json.loads(line) for line in lines] if len(lines) >= number else None

        return eventually(look, f"{number} sent")

    with (
        closing(Store(tmp_path / "store.sqlite")) as store,
        closing(Deliveries(tmp_path / "telling.sqlite")) as deliveries,
        closing(People(tmp_path, {"sms": AddressKind.PHONE}, deliveries.direct)) as people,
        closing(Audience(people.path)) as audience,
        closing(StoreReader(tmp_path / "store.sqlite")) as reader,
    ):
        store.prepare(outbox.create)
        telling = Telling(
            TellingSettings("https://tien.vn/nong-dan"),
            [channel],
            reader,
            people,
            deliveries,
            tmp_path / "telling.sqlite",
            words=wording("tien.vn/nong-dan"),
            clock_ms=now_ms,
            on_death=deaths.append,
        )
        telling.start()

        def tell(kind: Kind, event: str) -> int:
            told = notice(kind, now_ms() - AGO_MS, event=event)
            followers = audience.of(told)
            with store.transaction() as connection:
                outbox.write(connection, [(told, followers)])
            telling.wake()
            return len(followers)

        try:
            wish = Wish("sms", "0912 345 678", (Follow(HERE, "durian", LEVEL, ALL),))
            request = people.signup(wish, "", now_ms())
            assert request.why is SignupWhy.SENT
            code = sent(1)[0]
            assert code["to"] == "+84912345678"
            assert tell(Kind.SALT, "before") == 0, "not before the code came back"
            digits = "".join(each for each in code["text"] if each.isdigit())[:6]
            confirmed = people.confirm(request.request, digits, now_ms())
            assert confirmed.why is ConfirmWhy.DONE
            assert "HUY" in sent(2)[1]["text"], "the welcome says how to stop"
            assert tell(Kind.SALT, "spell-1") == 1
            salt = sent(3)[2]
            assert "KHONG LAY" in salt["text"].upper()
            assert salt["text"].isascii()
            assert len({line["key"] for line in sent(3)}) == 3
            assert people.stop_from("sms", "+84912345678", None, now_ms()) == 1
            assert len(sent(4)) == 4, "the last message"
            assert tell(Kind.FRESH, "spell-1") == 0
        finally:
            telling.stop()
            telling.close()
    assert deaths == []
    assert len(sent(4)) == 4
    for file in tmp_path.glob("telling.sqlite*"):
        found = file.read_bytes()
        assert b"912345678" not in found
        assert f'"code":"{digits}"'.encode() not in found
