"""What a flag says of values that were derived from the flagged one."""

from ingest.reading import Flag, Why
from tests.songtien.feed import BEGIN_MS, River, probe

MINUTE = 60_000


def _river(limits: str) -> River:
    config = River().processor.config
    assert config is not None
    return River(registry=config.registry + limits)


def test_of_several_bad_inputs_the_worst_stands() -> None:
    river = _river(
        "\n[quality.conductivity_ms_cm]\nsuspect_max = 5.0\n"
        "[quality.temperature_c]\nfail_max = 20.0\n"
    )
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, ec_ms_cm=6.0, temp_c=25.0))
    _, flag, why = river.readings()["mt-01/salinity_g_l", BEGIN_MS]
    assert (flag, why & Why.INPUT) == (Flag.FAIL, Why.INPUT)


def test_a_bad_input_is_blamed_for_its_own_time_and_probe_alone() -> None:
    river = _river("\n[quality.conductivity_ms_cm]\nsuspect_max = 5.0\n")
    river.hear(
        BEGIN_MS + 20 * MINUTE,
        *(
            probe("mt-01", BEGIN_MS + n * 10 * MINUTE, seq=n + 1, ec_ms_cm=value, temp_c=25.0)
            for n, value in enumerate((4.0, 6.0, 4.0))
        ),
    )
    readings = river.readings()
    blamed = [
        readings["mt-01/salinity_g_l", BEGIN_MS + n * 10 * MINUTE][2] & Why.INPUT for n in range(3)
    ]
    assert [bool(each) for each in blamed] == [False, True, False]
