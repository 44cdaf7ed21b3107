"""The plot of docs/performance.md: growth with the number of recipients."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .many_recipients import AT_ONCE, LOOP, ONE_CALL
from .result import Result
from .rounds import Sample, Spread, cpus, walls
from .scale import SIZES
from .set_up import FIRST, RELOAD
from .zoho import DOMAIN

# Both can be read on white and on black.
_GREY, _OURS, _OTHERS = "#808080", "#1f8fe0", ("#e07b1f", "#3fa34d", "#b05cc6")


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw the time over the recipients, both axes logarithmic."""
    # Only here: the other measurements must not pay for its import.
    import matplotlib as mpl  # type: ignore[import-not-found]  # noqa: PLC0415

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    raw = {result.key: result.raw for result in results}
    mpl.rcParams |= {
        "svg.fonttype": "none",
        "svg.hashsalt": "performance",
        "font.family": "sans-serif",
        "font.size": 8,
        **dict.fromkeys(
            (
                "text.color",
                "axes.labelcolor",
                "axes.edgecolor",
                "xtick.color",
                "ytick.color",
            ),
            _GREY,
        ),
    }
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 3), layout="constrained")
    for axis, (title, lines) in zip(axes, _panels(raw), strict=True):
        axis.set_title(title, fontsize=8)
        others = iter(_OTHERS)
        for name, points in lines.items():
            ours = name.startswith(DOMAIN)
            axis.loglog(
                points.keys(),
                points.values(),
                marker="o",
                markersize=3,
                linewidth=1.8 if ours else 1.2,
                color=_OURS
                if name.startswith(DOMAIN) and "reload" not in name
                else next(others),
                label=name,
            )
        axis.minorticks_off()
        axis.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
        axis.set_xlabel("recipients")
        axis.set_ylabel("seconds")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(visible=True, color=_GREY, alpha=0.25, linewidth=0.5)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(
            frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2)
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, transparent=True, metadata={"Date": None})
    plt.close(figure)


def _panels(raw: Mapping[str, Any]) -> list[tuple[str, dict[str, dict[int, float]]]]:
    many = raw["many_recipients"]
    at_0, at_50 = (many[f"Zoho answers in {ms} ms"] for ms in (0, 50))
    times = raw["set_up"]["time"]
    return [
        (
            "One call, Zoho answers in 50 ms: wall",
            {
                name: {
                    size: Spread.of(walls(samples[name])).median
                    for size, samples in at_50.items()
                    if name in samples
                }
                for name in (ONE_CALL, LOOP, AT_ONCE)
            },
        ),
        (
            "One call: CPU",
            {
                name: {
                    size: Spread.of(cpus(samples[name])).median
                    for size, samples in at_0.items()
                }
                for name in (ONE_CALL, LOOP, AT_ONCE)
            },
        ),
        (
            "Set-up of an entry: wall",
            {
                f"{domain}, {phase}": _medians(times[phase][domain])
                for domain in (DOMAIN, "smtp")
                for phase in (FIRST, RELOAD)
            },
        ),
    ]


def _medians(by_size: Mapping[int, Sequence[Sample]]) -> dict[int, float]:
    return {size: Spread.of(walls(of_one)).median for size, of_one in by_size.items()}
