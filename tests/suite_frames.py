"""Small frames of results, as a suite hands them to its tables and its report."""

import numpy as np
import pandas as pd

CONSTANT = {
    "num_seeds": 3,
    "num_tasks": 2,
    "num_tasks_defined": 1,
    "split": "scaffold_hu",
    "split_sha256": "f00d" * 16,
    "n_train": 1600,
    "n_valid": 200,
    "n_test": 201,
}


def result(dataset, representation, head, mean, *, metric="roc_auc", low=np.nan, high=np.nan, **o):
    task = "classification" if metric in ("roc_auc", "pr_auc") else "regression"
    protocol = "finetune" if head.startswith("fine-tuned") else "frozen"
    return CONSTANT | {
        "dataset": dataset,
        "task": task,
        "representation": representation,
        "head": head,
        "protocol": protocol,
        "metric": metric,
        "mean": mean,
        "std": 0.01,
        "difference": (low + high) / 2,
        "low": low,
        "high": high,
    } | o  # fmt: skip


def results():
    """Two models on three classification sets and one regression set, one of them fine-tuned."""
    ecfp, ours = ("ECFP4 counts", "forest"), ("pretrained", "linear")
    best = ("trained from scratch", "fine-tuned, best")
    return pd.DataFrame(
        [
            result("bbbp", *best, 0.65, low=-0.09, high=0.01),
            result("clintox", *best, 0.70, low=-0.19, high=-0.1),
            result("bbbp", *ours, 0.712, low=0.01, high=0.03, std=np.nan, num_seeds=1),
            result("bbbp", *ecfp, 0.69),
            result("clintox", *ours, 0.8, low=-0.08, high=-0.02),
            result("clintox", *ecfp, 0.85),
            result("hiv", *ours, 0.75, low=-0.01, high=0.02),
            result("hiv", *ecfp, 0.74),
            result("esol", *ours, 0.9, metric="rmse", low=-0.2, high=-0.1),
            result("esol", *ecfp, 1.05, metric="rmse"),
            result("bbbp", *ours, 0.9, metric="pr_auc", low=0.01, high=0.02),
            result("bbbp", *ecfp, 0.88, metric="pr_auc"),
            result("esol", *ours, 0.7, metric="mae", low=0.01, high=0.1),
            result("esol", *ecfp, 0.6, metric="mae"),
        ]
    )


def efficiency():
    """Curves that are straight in the logarithm of the number of labels."""
    rows = []
    for dataset, metric, first, step in (
        ("bbbp", "roc_auc", 0.5, 0.1),
        ("esol", "rmse", 2.0, -0.5),
    ):
        for k, (labels, fraction) in enumerate(((16, 0.01), (160, 0.1), (1600, 1.0))):
            for worse, representation in enumerate(("pretrained", "random start")):
                mean = first + step * (k - worse)
                rows.append(
                    (dataset, representation, "linear", metric, fraction, labels, mean, 0.01, 3)
                )
    columns = ["dataset", "representation", "head", "metric", "fraction"]
    return pd.DataFrame(rows, columns=[*columns, "num_labels", "mean", "std", "num_draws"])
