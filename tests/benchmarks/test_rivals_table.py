"""The table of rivals: scores are averaged, errors are summed, and what is undefined is neither."""

from benchmarks.rivals_table import as_table, means_over_videos


def row(video: str, method: str, **scores: float | None) -> dict:
    return {"video": video, "method": method, "version": "1", **scores}


def test_means_and_sums_are_taken_for_each_method():
    rows = [
        row("a", "ours", TRA=0.5, EA=3, CT=None),
        row("a", "rival", TRA=0.75, EA=0, CT=None),
        row("b", "ours", TRA=1.0, EA=4, CT=0.25),
        row("b", "rival", TRA=0.25, EA=1, CT=None),
    ]
    ours, rival = means_over_videos(rows)
    assert (ours["method"], ours["TRA"], ours["EA"], ours["CT"]) == ("ours", 0.75, 7, 0.25)
    assert (rival["method"], rival["TRA"], rival["EA"], rival["CT"]) == ("rival", 0.5, 1, None)
    assert ours["video"].startswith("2 videos")


def test_the_table_shows_what_is_known():
    rows = [row("a", "ours", TRA=0.5, EA=3, CT=None), row("a", "rival", TRA=1.0, EA=0, CT=0.125)]
    assert as_table(rows).splitlines() == [
        "| Video | Linking | Version | TRA | CT | Missing links |",
        "| --- | --- | --- | --- | --- | --- |",
        "| a | ours | 1 | 0.500 | - | 3 |",
        "| a | rival | 1 | 1.000 | 0.125 | 0 |",
    ]
