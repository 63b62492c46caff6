"""Single samples that are missing."""

from simulators.columns import Columns
from simulators.faults.fault import Fault, Parameter, SampleFault, Scene
from simulators.faults.quantity import inside
from simulators.grid import share


def _without(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    lost = share(columns.at_ms, scene.seed, *scene.names(fault)) < fault.number("share")
    return columns.take(~(lost & inside(columns, fault)))


DROPOUT = SampleFault(
    _without,
    "some samples are never taken, all levels or lanes of them at once; `seq` has no hole",
    "shows what is missing as missing, and starts holds anew where the gap is too long",
    parameters=(Parameter("share", 0.3, 0.0, 1.0, "", "share of the samples that are missing"),),
)
