r"""Whether maps depend on what was learned: their rank correlation with maps of models that learned nothing of use.

Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018, arXiv 1810.03292: a map that stays when the network's
weights are randomised, or when the head was fitted on permuted labels, shows the scan and not the model.

The rule, fixed beforehand: maps are *not informative* when those of the network with all of its
weights shuffled, or those of the head on permuted labels, still correlate above 0.5 with the real ones in the mean over
the scans (Spearman's :math:`\rho` of the signed evidence). At 0.5 a quarter of the variance of the ranks is shared, and
what shares more is decided to a large part by the scan alone. The steps before the last are shown, not judged. A map
without any difference between its cells ranks nothing, so its correlation counts as 0.

What the rule does not say: that the map is right, or that the evidence lies in a lesion. As the sign of a shuffled
network's map is chance, a map that shows brightness alone can pass. Knows nothing about networks or files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

if TYPE_CHECKING:
    from tumorlens.evaluation.bootstrap import Unit

__all__ = ["CORRELATION_LIMIT", "MapCheck", "MeanCorrelation", "check_maps", "rank_correlations"]

CORRELATION_LIMIT = 0.5
"""Above this mean rank correlation with maps that know nothing, maps are not informative."""

EvidenceMaps = Sequence[npt.NDArray[np.floating]]


@dataclass(frozen=True)
class MeanCorrelation:
    """A mean rank correlation over scans, -1..1.

    Attributes:
        correlation: The mean.
        low: Lower end of its 95 % interval, bootstrap over groups; ``None`` with fewer than five groups.
        high: Upper end.
    """

    correlation: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MapCheck:
    """What became of the maps without what was learned.

    Attributes:
        randomised: For each rising share of the network's layers whose weights were shuffled, from the head's side
            backwards, the correlation with the real maps; the last share is 1.
        permuted_head: The same for a head fitted on permuted labels; ``None``: there is no such head.
        n_scans: Scans looked at.
        n_groups: Groups they belong to.
    """

    randomised: Mapping[float, MeanCorrelation]
    permuted_head: MeanCorrelation | None
    n_scans: int
    n_groups: int

    @property
    def informative(self) -> bool:
        """Whether the maps passed."""
        judged = [self.randomised[max(self.randomised)], self.permuted_head]
        return all(each is None or each.correlation <= CORRELATION_LIMIT for each in judged)

    @property
    def words(self) -> str:
        """The outcome in one sentence."""
        found = [f"all weights shuffled: {self.randomised[max(self.randomised)].correlation:.2f}"]
        if self.permuted_head is not None:
            found.append(f"head on permuted labels: {self.permuted_head.correlation:.2f}")
        outcome = "Heatmaps change" if self.informative else "Heatmaps are not informative: they hardly change"
        return (
            f"{outcome} without what was learned (rank correlation with {'; '.join(found)}; {self.n_scans} scans; "
            f"limit {CORRELATION_LIMIT:g})."
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in a bundle's card."""
        return {
            "informative": self.informative,
            "words": self.words,
            "limit": CORRELATION_LIMIT,
            "n_scans": self.n_scans,
            "n_groups": self.n_groups,
            "randomised": [{"share": share, **asdict(each)} for share, each in sorted(self.randomised.items())],
            "permuted_head": None if self.permuted_head is None else asdict(self.permuted_head),
        }


def check_maps(
    real: EvidenceMaps,
    *,
    randomised: Mapping[float, EvidenceMaps],
    permuted_head: EvidenceMaps | None,
    groups: npt.NDArray[np.str_],
    unit: Unit,
) -> MapCheck:
    """Compare maps with those of models that learned nothing of use, scan by scan.

    Args:
        real: The evidence of each scan, ``(h, w)``.
        randomised: By share of the layers that were shuffled, the maps of the same scans and classes; with share 1.
        permuted_head: Those of a head on permuted labels, if there is one.
        groups: ``(n,)`` the group of each scan, for the intervals.
        unit: What a group is.

    Raises:
        InputError: There is no scan, a share 1 is missing, or the maps do not belong together.
    """
    if len(real) == 0 or 1.0 not in randomised or len(groups) != len(real):
        raise InputError(
            "A check of maps needs a scan or more with a group for each, and the network with share 1 of its layers "
            f"shuffled, got {len(real)} scans, {len(groups)} groups and the shares {sorted(randomised)}."
        )

    def mean(maps: EvidenceMaps) -> MeanCorrelation:
        return _mean(rank_correlations(real, maps), groups, unit)

    return MapCheck(
        randomised={share: mean(maps) for share, maps in randomised.items()},
        permuted_head=None if permuted_head is None else mean(permuted_head),
        n_scans=len(real),
        n_groups=len(np.unique(groups)),
    )


def rank_correlations(first: EvidenceMaps, second: EvidenceMaps) -> npt.NDArray[np.float64]:
    """``(n,)``: Spearman's rank correlation of each pair of maps; 0 where a map has no two different cells.

    Raises:
        InputError: The maps do not belong together.
    """
    from scipy.stats import rankdata

    if [each.shape for each in first] != [each.shape for each in second]:
        raise InputError("Maps to compare must be of the same scans and grids, but their numbers or shapes differ.")
    found = np.zeros(len(first))
    for place, maps in enumerate(zip(first, second, strict=True)):
        if all(np.ptp(each) > 0 for each in maps):
            found[place] = np.corrcoef([rankdata(each) for each in maps])[0, 1]
    return found


def _mean(values: npt.NDArray[np.float64], groups: npt.NDArray[np.str_], unit: Unit) -> MeanCorrelation:
    from tumorlens.evaluation.bootstrap import bootstrap_intervals, resample_groups
    from tumorlens.evaluation.group_sums import Mean
    from tumorlens.evaluation.small_groups import FEWEST_GROUPS

    value = float(values.mean())
    resampling = resample_groups(groups, n_scans=len(values), unit=unit)
    if resampling is None or resampling.n_groups < FEWEST_GROUPS:
        return MeanCorrelation(value, None, None)
    mean = Mean(values, codes=resampling.codes, share=False)
    interval = bootstrap_intervals({"mean": (value, mean)}, resampling=resampling)["mean"]
    return MeanCorrelation(value, *((None, None) if interval is None else (interval.low, interval.high)))
