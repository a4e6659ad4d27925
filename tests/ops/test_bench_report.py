"""What benches found, in JSON and on paper."""

import json

from ops.bench.report import Report, Row
from ops.report.bench_html import bench_html


def _report() -> Report:
    report = Report(bench="ingest")
    report.add(Row(what="drain", value=50_000, unit="messages/s", note="<a limit>"))
    report.add(Row(what="ours", value=30_000, unit="messages/s", ratio=0.6, against="the drain", at_least=0.5))
    report.add(Row(what="p95", value=2.5, unit="s", at_most=2))
    report.add(Row(what="lost", value=0, unit="messages", at_most=0))
    return report


def test_each_row_says_whether_it_is_as_wished() -> None:
    rows = json.loads(_report().as_json())["rows"]
    assert [row["is_wish_met"] for row in rows] == [None, True, False, True]


def test_the_page_draws_what_is_wished_and_counts_what_is_met() -> None:
    page = bench_html([_report()])
    assert "2 of 3 wishes met" in page
    assert page.count("<svg") == 3
    assert page.count('class="missed"') == 1
    assert '<rect class="met" x="0" y="2" width="132.0"' in page, "0.6 of the drain is 1.2 times the wish"
    assert "&lt;a limit&gt;" in page
    assert "src=" not in page, "nothing is loaded from anywhere"
