"""How much is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIZES = (1, 10, 100, 1000)
#: How long the sandbox takes to answer (seconds).
ANSWER_TIMES = (0.0, 0.05)


@dataclass(frozen=True, slots=True)
class Scale:
    """The rounds of each measurement; times of answer are in seconds."""

    one_sms: Mapping[float, tuple[int, int]]  # answer time: rounds, calls a round
    # answer time: rounds at each size, so many that each of three is first as often
    many: Mapping[float, Sequence[int]]
    loop_limit: Mapping[float, int]  # answer time: most calls one after another
    large_account: int
    expired_token: Mapping[float, int]
    stretch: int
    set_up: Mapping[int, int]  # recipients: rounds
    memory: tuple[int, int]  # recipients, rounds
    imports: int
    start: int  # starts; one more process each, too long for a quick run


FULL = Scale(
    one_sms={0.0: (101, 25), 0.05: (25, 10)},
    many={0.0: (33, 21, 15, 9), 0.05: (12, 12, 6, 3)},
    loop_limit={0.0: 1000, 0.05: 1000},
    large_account=9,
    expired_token={0.0: 5, 0.05: 3},
    stretch=25,
    set_up={1: 15, 10: 15, 100: 9, 1000: 5},
    memory=(1000, 3),
    imports=25,
    start=7,
)
QUICK = Scale(
    one_sms={0.0: (9, 15), 0.05: (3, 1)},
    many={0.0: (5, 3, 2, 1), 0.05: (2, 1, 1, 0)},
    loop_limit={0.0: 1000, 0.05: 100},
    large_account=1,
    expired_token={0.0: 1},
    stretch=1,
    set_up={1: 2, 100: 1, 1000: 1},
    memory=(100, 1),
    imports=3,
    start=0,
)
