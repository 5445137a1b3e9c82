"""The score of an alignment."""

from __future__ import annotations

from kamstrup_kmp import Alignment, Verdict


def test_nothing_is_known_at_first() -> None:
    assert Alignment().score == 0


def test_the_score_follows_the_last_few_requests() -> None:
    alignment = Alignment()
    for _ in range(20):
        step = alignment.add(Verdict.SILENT)
    assert (step.score, step.answered, step.attempts) == (0, 0, 20)
    for _ in range(20):
        step = alignment.add(Verdict.OK)
    assert (step.score, step.answered, step.attempts) == (100, 20, 40)


def test_what_is_nearer_to_an_answer_scores_higher() -> None:
    order = [
        Verdict.SILENT,
        Verdict.ECHO_ONLY,
        Verdict.NOISE,
        Verdict.ECHO_MANGLED,
        Verdict.TRUNCATED,
        Verdict.CRC_MISMATCH,
        Verdict.OK,
    ]
    scores = [Alignment().add(verdict).score for verdict in order]
    assert scores == sorted(set(scores))
