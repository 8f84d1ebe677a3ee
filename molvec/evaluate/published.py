"""Rows that others published, quoted beside what was run here, never mixed with it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import pandas as pd

COLUMNS = ("method", "protocol", "source", "dataset", "metric", "value")
_RMSE = {"esol", "freesolv", "lipophilicity", "qm7", "qm8"}


def published_rows(datasets: Sequence[str]) -> pd.DataFrame:
    """Return published values for these data sets, and the means that papers quote.

    Columns: ``method``, ``protocol``, ``source``, ``dataset``, ``metric`` (``roc_auc`` as a share,
    not x 100, or ``rmse`` in the target's unit), ``value``.
    """
    import yaml

    text = files("molvec.evaluate").joinpath("published.yaml").read_text(encoding="utf-8")
    rows = []
    for entry in yaml.safe_load(text):
        for dataset, value in entry["values"].items():
            if dataset not in datasets and not dataset.startswith("mean of"):
                continue
            metric = "rmse" if dataset in _RMSE else "roc_auc"
            shown = value if metric == "rmse" else value / 100
            source = (entry["method"], entry["protocol"], entry["source"])
            rows.append((*source, dataset, metric, shown))
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))
