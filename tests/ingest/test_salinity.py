import csv
import gzip
import json
import os
from pathlib import Path

import gsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.payload import SalinitySample
from ingest.reading import QUANTITIES, FloatArray
from ingest.salinity import (
    DRY_EC25_MS_CM,
    DRY_SALINITY_G_L,
    INPUTS,
    derive,
    dry,
    ec25_from_ec,
    practical_salinity,
    salinity_g_l,
)

NAN = float("nan")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def recorded(name: str) -> Path:
    path = Path(os.environ.get("SONGTIEN_DATA", SHARED)) / name
    if not path.exists():
        pytest.skip(f"{name} is not in SONGTIEN_DATA")
    return path


def array(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)


# Conductivity in mS/cm, then practical salinity at 25, 28 and 30 °C and zero pressure.
RIVER = [
    (0.2, 0.094129, 0.088535, 0.085117),
    (0.5, 0.240378, 0.225981, 0.217196),
    (1, 0.492451, 0.462652, 0.444475),
    (2, 1.016600, 0.954605, 0.916790),
    (5, 2.679605, 2.514931, 2.414499),
    (10, 5.626644, 5.279025, 5.067015),
    (20, 11.914998, 11.175331, 10.724158),
    (40, 25.518879, 23.923109, 22.949928),
]


@pytest.mark.parametrize(("column", "temp_c"), [(1, 25.0), (2, 28.0), (3, 30.0)])
def test_practical_salinity_over_the_range_of_the_river(column: int, temp_c: float) -> None:
    table = np.array(RIVER)
    found = practical_salinity(table[:, 0], np.full(len(table), temp_c))
    np.testing.assert_allclose(found, table[:, column], atol=5e-7, rtol=0)


@pytest.mark.parametrize(
    ("salinity", "ec_ms_cm", "temp_c"),
    [
        (0.5, 1.07750, 28),
        (1, 2.09042, 28),
        (2, 4.03012, 28),
        (4, 7.72219, 28),
        (10, 18.05782, 28),
        (20, 34.02065, 28),
        (30, 49.01354, 28),
        (0.5, 1.01473, 25),
        (1, 1.96891, 25),
        (4, 7.27671, 25),
        (35, 53.07103, 25),
    ],
)
def test_conductivities_of_round_salinities(
    salinity: float, ec_ms_cm: float, temp_c: float
) -> None:
    found = practical_salinity(array(ec_ms_cm), array(temp_c))
    assert found[0] == pytest.approx(salinity, abs=5e-6)


def test_the_definition_of_practical_salinity() -> None:
    """C(35, 15 °C of IPTS-68, 0) is 42.9140 mS/cm, and t68 = 1.00024 t90."""
    assert practical_salinity(array(42.9140), array(15 / 1.00024))[0] == pytest.approx(35, abs=1e-6)


def test_gsw_gives_the_vectors_of_its_documentation() -> None:
    """TEOS-10's page on SP_from_C, and UNESCO 44's points: what we build on is what we think."""
    conductivity = [34.5487, 34.7275, 34.8605, 34.6810, 34.5680, 34.5600]
    temp = [28.7856, 28.4329, 22.8103, 10.2600, 6.8863, 4.4036]
    pressure = [10, 50, 125, 250, 600, 1000]
    expected = [
        20.009869599087,
        20.265511864874,
        22.981513062528,
        31.204503263728,
        34.032315787433,
        36.400308494388,
    ]
    found = gsw.SP_from_C(conductivity, temp, pressure)
    np.testing.assert_allclose(found, expected, atol=1e-11, rtol=0)
    points = [
        (1.2, 20, 2000, 37.245628),
        (0.65, 5, 1500, 27.995347),
        (1.888091, 40, 10000, 39.9999962),
    ]
    for ratio, t68, p, salinity in points:
        found = gsw.SP_from_C(42.9140 * ratio, t68 / 1.00024, p)
        assert found == pytest.approx(salinity, abs=5e-7)


def test_gsw_gives_the_check_values_of_the_toolbox() -> None:
    text = recorded("standards/gsw_cv_v3_0_pss78_subset.json").read_text(encoding="utf-8")
    check = {
        name: np.array(value, dtype=np.float64)
        for name, value in json.loads(text).items()
        if isinstance(value, list) and isinstance(value[0], list)
    }
    found = gsw.SP_from_C(check["C_from_SP"], check["t_chck_cast"], check["p_chck_cast"])
    np.testing.assert_allclose(found, check["SP_from_C"], atol=1.3e-10, rtol=0)
    surface = check["p_chck_cast"] < 15
    ours = practical_salinity(check["C_from_SP"][surface], check["t_chck_cast"][surface])
    # 15 dbar is worth 0.008 of salinity; the pressure is what the probe in a river lacks.
    np.testing.assert_allclose(ours, check["SP_chck_cast"][surface], atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("practical", "g_l", "tolerance"),
    [(1, 1.002, 5e-4), (4, 4.016, 5e-4), (10, 10.08, 5e-3), (20, 20.32, 5e-3), (30, 30.70, 5e-3)],
)
def test_grams_in_a_litre_at_28_degrees(practical: float, g_l: float, tolerance: float) -> None:
    ec = array(float(gsw.C_from_SP(practical, 28.0, 0.0)))
    assert salinity_g_l(ec, array(28.0))[0] == pytest.approx(g_l, abs=tolerance)


def test_a_fixed_factor_would_be_far_off() -> None:
    """0.64 g/L for each mS/cm at 25 °C, as often seen, reads 30 % high at 0.5."""
    ec25 = array(1.01473)
    factor_g_l = 0.64 * ec25[0]
    assert factor_g_l / salinity_g_l(ec25, array(25.0))[0] == pytest.approx(1.30, abs=0.005)


def test_conductivity_of_nothing_is_salinity_zero_and_absent_stays_absent() -> None:
    found = practical_salinity(array(0, 0.001, 0.003, NAN, 5, -1), array(25, 25, 60, 25, NAN, 25))
    assert found[:3].tolist() == [0, 0, 0]
    assert np.isnan(found[3:]).all()


@given(
    ec=st.lists(st.floats(0, 200), min_size=1, max_size=20),
    temp=st.floats(-5, 60),
)
def test_every_pair_that_a_payload_may_hold_gives_a_finite_salinity(
    ec: list[float], temp: float
) -> None:
    rising = np.sort(np.array(ec))
    found = practical_salinity(rising, np.full(len(rising), temp))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= -1e-9).all()
    assert np.isfinite(salinity_g_l(rising, np.full(len(rising), temp))).all()


def test_compensation_to_25_degrees() -> None:
    found = ec25_from_ec(array(1.0, 1.0955, 0.9045, NAN), array(25, 30, 20, 25))
    np.testing.assert_allclose(found, [1.0, 1.0, 1.0, NAN], atol=1e-12)


def test_a_true_half_gram_sent_as_ec25_at_30_degrees_reads_low() -> None:
    """The mistake that lint asks device makers about: EC25 sent under the name of EC."""
    ec25 = array(float(gsw.C_from_SP(0.5, 25.0, 0.0)))
    assert salinity_g_l(ec25, array(25.0))[0] == pytest.approx(0.50, abs=0.005)
    assert salinity_g_l(ec25, array(30.0))[0] == pytest.approx(0.455, abs=0.005)


def test_derive_gives_every_quantity_of_a_salinity_device() -> None:
    found = derive({name: array(1.0) for name in INPUTS})
    assert set(found) == {q.name for q in QUANTITIES.values() if q.kind == "salinity"}
    assert set(INPUTS) == {f for f in SalinitySample.__struct_fields__ if f not in ("t", "sim")}
    assert all(len(column) == 0 for column in derive({}).values())


def test_derive_row_by_row() -> None:
    """EC with temperature; EC alone; EC25; the probe's own; all three; nothing."""
    found = derive(
        {
            "ec_ms_cm": array(7.72219, 7.72219, NAN, NAN, 7.72219, NAN),
            "temp_c": array(28, NAN, 31, NAN, 28, NAN),
            "ec25_ms_cm": array(NAN, NAN, 7.27671, NAN, 1.0, NAN),
            "sal_g_l": array(NAN, NAN, NAN, 3.9, 3.9, NAN),
        }
    )
    np.testing.assert_array_equal(
        found["salinity_g_l"], array(4.0158, NAN, 4.0191, 3.9, 4.0158, NAN)
    )
    np.testing.assert_array_equal(found["salinity_probe_g_l"], array(NAN, NAN, NAN, NAN, 3.9, NAN))
    np.testing.assert_array_equal(
        found["conductivity_ms_cm"], array(7.7222, 7.7222, NAN, NAN, 7.7222, NAN)
    )
    np.testing.assert_array_equal(
        found["conductivity_25_ms_cm"], array(NAN, NAN, 7.2767, NAN, 1.0, NAN)
    )
    np.testing.assert_array_equal(found["temperature_c"], array(28, NAN, 31, NAN, 28, NAN))
    assert np.isnan(found["water_level_m"]).all()


def test_where_conductivity_cannot_be_used_the_next_best_serves() -> None:
    found = derive(
        {
            "ec_ms_cm": array(7.72219, 7.72219),
            "ec25_ms_cm": array(7.27671, NAN),
            "sal_g_l": array(3.9, 3.9),
        }
    )
    np.testing.assert_array_equal(found["salinity_g_l"], array(4.0191, 3.9))
    np.testing.assert_array_equal(found["salinity_probe_g_l"], array(3.9, NAN))


@given(
    ec=st.floats(0, 60),
    temp=st.floats(15, 38),
    level=st.floats(-50, 50),
    nudge=st.floats(-4e-5, 4e-5),
)
def test_what_is_derived_is_derived_from_rounded_readings(
    ec: float, temp: float, level: float, nudge: float
) -> None:
    """Stored readings derive to the stored salinity, and noise below 1e-4 changes no byte."""
    first = derive({"ec_ms_cm": array(ec), "temp_c": array(temp), "level_m": array(level)})
    again = derive(
        {"ec_ms_cm": first["conductivity_ms_cm"], "temp_c": first["temperature_c"] + nudge}
    )
    assert again["salinity_g_l"].tobytes() == first["salinity_g_l"].tobytes()
    assert first["water_level_m"][0] == pytest.approx(level, abs=5.001e-5)


@given(
    rows=st.lists(
        st.fixed_dictionaries({name: st.one_of(st.just(NAN), st.floats(0, 60)) for name in INPUTS}),
        min_size=1,
        max_size=20,
    ),
    cut=st.integers(0, 20),
)
def test_any_split_derives_the_same_bytes(rows: list[dict[str, float]], cut: int) -> None:
    columns = {name: array(*[row[name] for row in rows]) for name in INPUTS}
    whole, parts = (
        derive(columns),
        [
            derive({n: c[s] for n, c in columns.items()})
            for s in (slice(None, cut), slice(cut, None))
        ],
    )
    for name, column in whole.items():
        joined = np.concatenate([part[name] for part in parts])
        assert joined.tobytes() == column.tobytes()
    dry_parts = [
        dry({n: c[s] for n, c in columns.items()}) for s in (slice(None, cut), slice(cut, None))
    ]
    np.testing.assert_array_equal(np.concatenate(dry_parts), dry(columns))


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ({"ec_ms_cm": 0.0, "temp_c": 28}, True),
        ({"ec_ms_cm": 0.0799, "temp_c": 25}, True),
        ({"ec_ms_cm": 0.08, "temp_c": 25}, False),
        # 0.085 at 30 °C is 0.0776 at 25 °C, and 0.075 at 20 °C is 0.0829.
        ({"ec_ms_cm": 0.085, "temp_c": 30}, True),
        ({"ec_ms_cm": 0.075, "temp_c": 20}, False),
        ({"ec_ms_cm": 0.15, "temp_c": 28}, False),
        ({"ec25_ms_cm": 0.0799}, True),
        ({"ec25_ms_cm": 0.08}, False),
        ({"ec_ms_cm": 0.05}, True),
        ({"ec_ms_cm": 0.09}, False),
        ({"sal_g_l": 0.0}, True),
        ({"sal_g_l": 0.1}, False),
        # The probe's own zero beside good conductivity is its rounding, not a dry cell.
        ({"sal_g_l": 0.0, "ec_ms_cm": 0.15, "temp_c": 28}, False),
        ({"ec_ms_cm": 12.3, "temp_c": 28, "depth_m": 0.19}, True),
        ({"ec_ms_cm": 12.3, "temp_c": 28, "depth_m": 0.2}, False),
        ({"temp_c": 28}, False),
        ({}, False),
    ],
)
def test_a_dry_probe(sample: dict[str, float], expected: bool) -> None:
    columns = {name: array(sample.get(name, NAN)) for name in INPUTS}
    assert dry(columns).tolist() == [expected]
    if sample:
        assert dry({name: array(value) for name, value in sample.items()}).tolist() == [expected]


def test_the_dry_limits_are_one_limit() -> None:
    found = salinity_g_l(array(DRY_EC25_MS_CM), array(25.0))[0]
    assert pytest.approx(found, abs=5e-5) == DRY_SALINITY_G_L


def test_salinity_of_a_recorded_probe() -> None:
    """Cat Point, two years at 15 min: what YSI's own firmware made of its conductivity.

    NERRS reports conductivity at 25 °C and salinity to 0.1; 95 % lie within 0.13.
    """
    path = recorded("salinity/swmpr_apacpwq_2012_2013.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        pairs = [
            (float(row["spcond"]), float(row["sal"]))
            for row in csv.DictReader(file)
            if row["spcond"]
            and row["sal"]
            and row["f_spcond"].startswith("<0>")
            and row["f_sal"].startswith("<0>")
        ]
    ec25, reported = np.array(pairs).T
    assert len(pairs) > 60_000
    error = np.abs(practical_salinity(ec25, np.full(len(ec25), 25.0)) - reported)
    assert np.quantile(error, 0.95) <= 0.13
    assert error.max() <= 0.31
