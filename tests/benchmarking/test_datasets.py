"""What a suite says of its data before it fits anything."""

import numpy as np
import pandas as pd
import pytest

from molvec.benchmarking.datasets import check_split
from molvec.data.labelled import read_labelled
from molvec.data.split import make_split
from molvec.errors import UserError


def test_a_part_without_labels_is_named_before_anything_is_fitted(tmp_path):
    frame = pd.DataFrame({"S": ["C" * n for n in range(1, 31)], "mass": range(30)})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    data = read_labelled(
        tmp_path / "mine.csv", smiles_column="S", targets=["mass"], task="regression"
    )
    split = make_split(data, "random", seed=0)
    data.targets.iloc[split.test] = np.nan
    with pytest.raises(UserError, match="no molecule of the test part has a label"):
        check_split(data, split, lambda line: None)
