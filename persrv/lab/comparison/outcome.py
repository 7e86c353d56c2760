"""What a running comparison says so far, and whether it may be decided."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from persrv.catalog import Catalog
from persrv.errors import NotFoundError, RecipeError
from persrv.lab.comparison.credit import Trial, credit
from persrv.lab.comparison.sequential import ALPHA, Evidence, evidence
from persrv.online.comparison.serving import assign, settings_of
from persrv.recipe import Recipe
from persrv.records import Team


@dataclass(frozen=True, slots=True)
class Effect:
    """By how much B is better than A, in [-1, 1].

    Attributes:
        value: Interleaved, the share of decided trials that B won minus the share that A won; with ``ab``, an
            unbiased estimate of the difference of the mean success of users.
        low: Lower end of the 95 % interval, which holds at any time.
        high: Its upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """A comparison so far.

    Attributes:
        experiment: Its name.
        method: ``"interleave"`` or ``"ab"``.
        impressions: Pages shown.
        earlier: Pages shown under the same name by other settings; they are left out.
        users: Who saw them.
        trials: One user's one query on one day each.
        wins: Trials whose first pick came from A or from B.
        ties: Trials whose first pick both rankings had added.
        counted: Observations that the test could use: decided trials, or users whose window is over.
        success: With ``ab``, the mean share of a counted user's trials with a pick, for each side; else empty.
        effect: Of B over A.
        e_value: Evidence against "no difference", >= 0.
        p: Any-time p-value.
        winner: Which one may be taken, ``None`` while it is open.
        verdict: A sentence about it.
    """

    experiment: str
    method: str
    impressions: int
    earlier: int
    users: int
    trials: int
    wins: Mapping[Team, int]
    ties: int
    counted: int
    success: Mapping[Team, float]
    effect: Effect
    e_value: float
    p: float
    winner: Team | None
    verdict: str


def outcome(recipe: Recipe, catalog: Catalog, *, until: datetime | None = None) -> ComparisonResult:
    """Return what people's picks say so far.

    Args:
        recipe: With a comparison.
        catalog: Its open catalog.
        until: Looks at the comparison as at this moment, timezone-aware; default now.

    Raises:
        RecipeError: The recipe compares nothing.
        NotFoundError: Nobody was shown anything yet.
    """
    compared = recipe.compare
    if not compared.name:
        raise RecipeError(f"{recipe.name} compares nothing", "name a comparison under [compare] in the recipe")
    moment = until or datetime.now(UTC)
    every = [one for one in catalog.impressions(experiment=compared.name) if one.time <= moment]
    shown = [one for one in every if one.settings == settings_of(recipe)]
    if not shown:
        raise NotFoundError(
            f"the comparison {compared.name!r} has shown nobody anything"
            + (" since its settings changed" if every else ""),
            "let people search first, and say who they are",
        )
    trials = credit(shown, (p for p in catalog.interactions(since=shown[0].time) if p.time <= moment))
    picked = Counter(trial.winner for trial in trials if trial.decided)
    success: dict[Team, float] = {}
    if compared.method == "interleave":
        proof, scale = evidence(decided(trials)), 2.0
    else:
        closed = closed_users(trials, timedelta(days=compared.window_days), moment)
        sides = {user: assign(compared.name, user) for user in closed}
        proof, scale = evidence(contrasts([(sides[user], rate) for user, rate in closed.items()])), 4.0
        success = _means((sides[user], rate) for user, rate in closed.items())
    effect = Effect(*(float(np.clip(scale * (x - 0.5), -1, 1)) for x in (proof.mean, proof.low, proof.high)))
    counted = len(closed) if compared.method == "ab" else picked["a"] + picked["b"]
    winner = _winner(proof)
    return ComparisonResult(
        experiment=compared.name,
        method=compared.method,
        impressions=len(shown),
        earlier=len(every) - len(shown),
        users=len({one.user for one in shown}),
        trials=len(trials),
        wins={"a": picked["a"], "b": picked["b"]},
        ties=picked[""],
        counted=counted,
        success=success,
        effect=effect,
        e_value=proof.e_value,
        p=proof.p,
        winner=winner,
        verdict=_verdict(winner, proof, effect),
    )


def decided(trials: Iterable[Trial]) -> list[float]:
    """Return 1 for each trial that B won and 0 for each that A won, in the order in which they were decided."""
    return [float(trial.winner == "b") for trial in trials if trial.decided and trial.winner]


def closed_users(trials: Iterable[Trial], window: timedelta, moment: datetime) -> dict[str, float]:
    """Return each user's share of trials with a pick, of those that began within a window from the user's first.

    Only users whose window, and the time in which its last pick could come, is over: their share changes no more. They
    are ordered by the start of their window, then by name.

    Args:
        trials: From :func:`persrv.lab.comparison.credit.credit`.
        window: How long a user is counted.
        moment: Now.
    """
    of_user: dict[str, list[Trial]] = defaultdict(list)
    for trial in sorted(trials, key=lambda trial: (trial.start, trial.user, trial.query)):
        of_user[trial.user].append(trial)
    found = {}
    for user, entries in of_user.items():
        end = entries[0].start + window
        # A trial lasts a day, and its last answer may be picked from for an hour.
        if end + timedelta(days=1, hours=1) <= moment:
            found[user] = float(np.mean([trial.decided is not None for trial in entries if trial.start < end]))
    return found


def contrasts(users: Sequence[tuple[Team, float]]) -> list[float]:
    """Return one number in [0, 1] a user, whose mean is ``1/2 + (mean of B − mean of A) / 4``.

    It is ``(1 ± (x − c)) / 2``, plus for B: sides are fair coins, so any ``c`` that was known before the user came
    leaves that mean as it is. The mean of the users before makes the numbers vary least.

    Args:
        users: Side and value in [0, 1] of each, in the order in which they came.
    """
    found = []
    total = 0.5  # one imagined user at one half, so that the first real one has something to be compared with
    for count, (side, value) in enumerate(users, start=1):
        difference = value - total / count
        found.append((1 + difference) / 2 if side == "b" else (1 - difference) / 2)
        total += value
    return found


def _means(users: Iterable[tuple[Team, float]]) -> dict[Team, float]:
    values: dict[Team, list[float]] = defaultdict(list)
    for side, value in users:
        values[side].append(value)
    return {side: float(np.mean(values[side])) for side in sorted(values)}


def _winner(proof: Evidence) -> Team | None:
    if proof.e_value < 1 / ALPHA:
        return None
    return "b" if proof.mean > 0.5 else "a"


def _verdict(winner: Team | None, proof: Evidence, effect: Effect) -> str:
    if winner:
        return f"{winner.upper()} is better, and this may be decided now: a false alarm had a chance below {ALPHA:.0%}"
    if proof.e_value <= 1 and effect.high - effect.low >= 2:
        return "nothing can be said yet; go on, looking does no harm"
    return (
        f"not decided: the evidence is {proof.e_value:.2g}, {1 / ALPHA:.0f} would be enough; "
        "go on, looking does no harm, or stop and keep A"
    )
