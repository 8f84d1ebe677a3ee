import re

import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.benchmark_report import (
    benchmark_headline,
    write_benchmark_report,
)
from molvec.evaluate.calibration import calibration
from molvec.evaluate.embedding_map import Map2D, embedding_map
from molvec.evaluate.score_table import PRIMARY, tables
from tests.pages import Page
from tests.suite_frames import efficiency, result, results

EVIL = "</script><script>alert('1')</script>\"&"
PUBLISHED = pd.DataFrame(
    [
        ("GraphMAE", "fine-tuned", "Hou et al. 2022", "bbbp", "roc_auc", 0.72),
        ("GraphMAE", "fine-tuned", "Hou et al. 2022", "esol", "rmse", 1.1),
        ("Other", "linear", "a paper", "bbbp", "roc_auc", 0.68),
    ],
    columns=["method", "protocol", "source", "dataset", "metric", "value"],
)


def a_map(dataset="bbbp", smiles=("CCO", "c1ccccc1", "not a molecule") * 10, target="active"):
    x = np.random.default_rng(0).normal(size=(len(smiles), 8))
    labels = np.resize([0, 1, np.nan], len(smiles))
    return embedding_map(dataset, target, x, labels, smiles, method="PCA")


def a_calibration(dataset="bbbp", representation="pretrained"):
    rng = np.random.default_rng(0)
    predicted = rng.random(500)
    return calibration(dataset, representation, "linear", rng.random(500) < predicted, predicted)


def write(path, **pieces):
    everything = {
        "results": results(),
        "efficiency": efficiency(),
        "published": PUBLISHED,
        "maps": [a_map(), a_map("clintox")],
        "calibrations": [a_calibration(), a_calibration(representation="random start")],
        "context": {"command": "molvec benchmark bbbp --seed 0", "torch": "2.13.0"},
    }
    return write_benchmark_report(path, **(everything | pieces))


def test_page_holds_everything_and_needs_nothing(tmp_path):
    path = write(tmp_path / "new" / "report.html")
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert page.addresses == []
    assert not {"link", "img", "iframe", "object", "embed", "video", "base"} & set(page.tags)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(|fetch\(|import\(", html)
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    text = " ".join(page.text)
    for piece in (
        "Pretrained against ECFP4 counts with a forest, 4 comparisons: 2 better, 1 worse, 1 und",
        "Classification: ROC-AUC \N{MULTIPLICATION SIGN} 100 (higher is better)",
        "Regression: RMSE (lower is better)",
        "▲ better, ▼ worse than ECFP4 counts with a forest",
        "80.0 ▼ (worse) ±1.0",
        "71.2 (best) ▲ (better)",
        "Mean (2 sets): bbbp, clintox.",
        "Classification: PR-AUC \N{MULTIPLICATION SIGN} 100",
        "Regression: MAE",
        "f00d" * 16,
        "1,600 200 201 1 of 2 scaffold_hu",
        "+2.0 (+1.0 to +3.0) ▲ better",
        "Dashed: trained from scratch, fine-tuned, best, 65.0",
        "Dashed: ECFP4 counts, forest, 1.050",
        "Score to reach trained from scratch, fine-tuned, best; ECFP4 counts, forest 65.0 1.050",
        "pretrained, linear 506 (32%) 1,271 (79%)",
        "random start, linear not reached not reached",
        "were not run here",
        "GraphMAE fine-tuned. Hou et al. 2022 72.0 1.100",
        "molvec benchmark bbbp --seed 0",
        "torch 2.13.0",
        "30 molecules by active; the axes hold",
        "1 (10) 0 (10) no label (10)",
    ):
        assert piece in text
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_charts_and_maps(tmp_path):
    html = write(tmp_path / "r.html").read_text(encoding="utf-8")
    assert html.count('class="chart"') == 3  # two curves, one reliability diagram
    assert html.count('class="reference"') == 3
    assert html.count('class="band') == 4
    assert len(re.findall(r'<svg class="points"[^>]*tabindex="0"', html)) == 2
    found = a_calibration()
    text = " ".join(Page(html).text)
    assert f"pretrained, linear {found.ece:.3f} {found.brier:.3f}" in text


def test_every_molecule_is_drawn_once_and_found_from_its_points(tmp_path):
    html = write(tmp_path / "r.html").read_text(encoding="utf-8")
    molecules = Page(html).molecules()
    assert [m["smiles"] for m in molecules] == ["CCO", "c1ccccc1", "not a molecule"]
    assert [bool(m["paths"]) for m in molecules] == [True, True, False]
    places = [int(k) for k in re.findall(r'data-m="(\d+)"', html)]
    assert places == [0, 1, 2] * 20
    assert re.findall(r'data-m="1" data-v="([^"]*)"', html) == ["active: 1"] * 20


def test_everything_is_escaped(tmp_path):
    frame = pd.DataFrame(
        [
            result(EVIL, EVIL, "linear", 0.7, low=0.1, high=0.2, split=EVIL, split_sha256=EVIL),
            result(EVIL, "ECFP4 counts", "forest", 0.6),
        ]
    )
    curves = efficiency().query("metric == 'roc_auc'").assign(dataset=EVIL, representation=EVIL)
    path = write(
        tmp_path / "r.html",
        results=frame,
        efficiency=curves,
        published=PUBLISHED.iloc[:1].assign(method=EVIL, protocol=EVIL, source=EVIL, dataset=EVIL),
        maps=[a_map(EVIL, (EVIL, "CCO", "C<N>&'\""), EVIL)],
        calibrations=[a_calibration(EVIL, EVIL)],
        context={"title": EVIL, "command": EVIL, EVIL: EVIL},
    )
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert len(page.scripts) == 2  # the data and the page's own, nothing smuggled in
    assert "<script>alert" not in html
    assert "alert('1')" not in re.sub(r"<script type.*?</script>", "", html, flags=re.S)
    assert [m["smiles"] for m in page.molecules()] == [EVIL, "CCO", "C<N>&'\""]


@pytest.mark.parametrize("frame", [results(), results().iloc[:0], results().iloc[3:4]])
@pytest.mark.parametrize(
    "pieces",
    [
        {},
        {"efficiency": efficiency(), "published": PUBLISHED.iloc[:0]},
        {"efficiency": efficiency().assign(mean=np.nan)},
        {"efficiency": efficiency().iloc[:0], "calibrations": [a_calibration()]},
        {"efficiency": efficiency().iloc[:1].assign(std=np.nan, dataset="unknown")},
        {"maps": [a_map(smiles=("CCO",))]},
    ],
)
def test_missing_pieces(tmp_path, frame, pieces):
    nothing = {"efficiency": None, "published": None, "maps": [], "calibrations": [], "context": {}}
    path = write(tmp_path / "r.html", results=frame, **(nothing | pieces))
    html = path.read_text(encoding="utf-8")
    Page(html)
    assert ("With fewer labels" in html) == ("bbbp over the number" in html or "unknown" in html)
    assert "What others published" not in html


def test_published_values_are_shares(tmp_path):
    with pytest.raises(ValueError, match=r"GraphMAE on bbbp is 72; give it as a share"):
        write(tmp_path / "r.html", published=PUBLISHED.assign(value=[72, 1.1, 68]))
    twice = pd.concat([PUBLISHED, PUBLISHED])
    with pytest.raises(ValueError, match="two values of GraphMAE on bbbp"):
        write(tmp_path / "r.html", published=twice)
    assert list(tmp_path.iterdir()) == []


def test_a_molecule_on_many_points_is_embedded_once(tmp_path):
    drug = "CC(C)Cc1ccc(cc1)C(C)C(=O)N[C@@H](Cc1ccncc1)C(=O)OCCN1CCOCC1"
    points = np.random.default_rng(0).normal(size=(250, 2)).astype(np.float32)
    maps = [
        Map2D(f"set{k}", "t", "PCA", points, np.zeros(250), (drug,) * 250, None) for k in range(10)
    ]
    path = write(tmp_path / "r.html", maps=maps)
    assert len(Page(path.read_text(encoding="utf-8")).molecules()) == 1
    assert path.stat().st_size < 2500 * 130 + 100_000  # the points, and the rest of the page


def test_headline_counts_all_pretrained_rows():
    assert benchmark_headline([]).startswith("Nothing pretrained")
    only = results()[results()["representation"] != "pretrained"]
    assert benchmark_headline(tables(only, PRIMARY)).startswith("Nothing pretrained")
    one = results().query("dataset == 'clintox'")
    assert benchmark_headline(tables(one, PRIMARY)).endswith(
        "1 comparison: 0 better, 1 worse, 0 undecided."
    )
