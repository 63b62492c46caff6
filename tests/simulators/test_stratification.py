"""Layers: stirred by the tide, fed by the river."""

import numpy as np
import pytest

from simulators.stratification import MOST, bottom_share, down_to


def _share(semidiurnal_km: float, diurnal_km: float, discharge: float) -> float:
    one = np.ones(1)
    return float(bottom_share(semidiurnal_km * one, diurnal_km * one, discharge * one)[0])


def test_the_contrast_is_half_its_most_at_a_richardson_number_of_0_8() -> None:
    # Q/W = 2700/7000 m2/s, u_t = 0.4706 m/s: Ri = 0.2158 * 0.3857 / 0.1042 = 0.8.
    semidiurnal_km = 0.4706 * np.sqrt(2.0) / 1.405e-4 / 1000.0
    assert _share(semidiurnal_km, 0.0, 2700.0) == pytest.approx(MOST / 2.0, rel=0.01)


def test_more_tide_mixes_and_more_river_lies_in_layers() -> None:
    assert _share(5.4, 4.8, 2700.0) < 0.7 * _share(3.7, 2.8, 2700.0)
    assert _share(3.7, 2.8, 2700.0) < _share(3.7, 2.8, 20_000.0) <= MOST
    assert _share(0.0, 0.0, 2700.0) == pytest.approx(MOST, rel=1e-3)  # slack for good


def test_depth_goes_from_the_surface_to_the_bottom_and_no_further() -> None:
    steps = [down_to(depth) for depth in np.linspace(-1.0, 12.0, 40)]
    assert steps == sorted(steps)
    assert (down_to(0.0), down_to(5.0), down_to(10.0), down_to(12.0)) == (0.0, 0.5, 1.0, 1.0)
