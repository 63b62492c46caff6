"""What a device's life says by itself: it starts again, or its link comes and goes.

Both are made where the device's messages are numbered (`simulators.stream`), since they change
`boot`, `seq` and the retained state.
"""

from simulators.faults.fault import MessageFault, Parameter

REBOOT = MessageFault(
    None,
    "the device is down for that time and measures nothing; the broker tells its last will after "
    "`will_after_s`, if it is down that long; then a birth, `boot` one higher, `seq` from 1",
    "loses nothing that was sent, takes the new boot as a new epoch, and ignores the older will",
    parameters=(
        Parameter(
            "will_after_s",
            90.0,
            0.0,
            86_400.0,
            "s",
            "1.5 times a keep-alive of 60 s (MQTT 5, 3.1.2.10)",
        ),
    ),
    ends=True,
)
FLAPPING = MessageFault(
    None,
    "the retained state goes between `lost` and `ready` of one boot while samples may go on",
    "shows the link, raises at most one notice of it, and suspends no rule",
    parameters=(Parameter("every_s", 120.0, 2.0, 86_400.0, "s", "from one loss to the next"),),
)
