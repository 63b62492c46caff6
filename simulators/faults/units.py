"""What a device says in the wrong unit, or under the wrong name."""

from ingest.reading import rounded
from simulators.columns import Columns
from simulators.faults.fault import Fault, Parameter, SampleFault, Scene
from simulators.faults.quantity import conductivity, inside, with_values


def _compensated(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    del scene
    ec, temp = columns.fields["ec_ms_cm"], columns.fields["temp_c"]
    at_25 = rounded(ec / (1.0 + fault.number("per_degree") * (temp - 25.0)))
    return with_values(columns, "ec_ms_cm", inside(columns, fault), at_25)


def _mixed_up(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    del scene
    name = conductivity(columns)
    values = rounded(columns.fields[name] * fault.number("factor"))
    return with_values(columns, name, inside(columns, fault), values)


EC25_AS_EC = SampleFault(
    _compensated,
    "the probe compensates to 25 °C by itself and sends that as `ec_ms_cm`: at 30 °C it reads as "
    "9 % less salt (linear compensation by 1.91 % a degree, Standard Methods 2510 B)",
    "cannot see it in one probe; by its neighbours, or by a check of the device (`songtien lint`)",
    kinds=("salinity",),
    parameters=(
        Parameter("per_degree", 0.0191, 0.001, 0.05, "1/°C", "compensation that the probe makes"),
    ),
    about="salinity_g_l",
)
UNIT_MIX_UP = SampleFault(
    _mixed_up,
    "µS/cm in the field for mS/cm: a thousand times too much",
    "refuses what no water has, flags the rest, and raises nothing by it",
    kinds=("salinity",),
    parameters=(
        Parameter("factor", 1000.0, 1e-6, 1e6, "", "what the conductivity is multiplied by"),
    ),
    about="salinity_g_l",
)
