"""The benchmark of the outbox compares like with like."""

from songtien.bench import outbox


def test_a_round_writes_the_rows_of_everybody_who_follows_and_of_nobody_else() -> None:
    lines: list[str] = []
    found = outbox.run(outbox.Size(rounds=1, tries=1, people=600, follow=60), lines.append)
    assert len(lines) == 1
    assert [each.rows for each in found] == [60]
    [summary] = outbox.summary(found, 1)
    assert "an event that 60 follow" in summary
