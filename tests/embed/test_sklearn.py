"""The transformer among sklearn's own: clone, pickle, set_output, pipelines."""

import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from molvec import MolvecTransformer
from molvec.errors import UserError


@pytest.fixture
def transformer(run):
    return MolvecTransformer(run.folder)


def test_same_numbers_as_the_embedder(transformer, embedder, smiles):
    vectors = transformer.fit_transform(smiles)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, embedder.embed(smiles))


def test_one_column_in_any_form(transformer, embedder, smiles):
    expected = embedder.embed(smiles)
    frame = pd.DataFrame({"smiles": smiles})
    for X in (smiles, frame, frame["smiles"], frame.to_numpy(), np.array(smiles)[:, None]):
        assert np.array_equal(transformer.fit_transform(X), expected)
    with pytest.raises(ValueError, match="expected one column of molecules, got 2"):
        transformer.transform(frame.assign(other=1))


def test_clone_and_parameters(run):
    one = MolvecTransformer(str(run.folder), on_error="raise").fit(["CCO"])
    two = clone(one)
    assert two.get_params() == {"model": str(run.folder), "on_error": "raise"}
    with pytest.raises(NotFittedError):
        two.transform(["CCO"])


def test_another_model_takes_effect(transformer, run, make_settings, tmp_path):
    from molvec.pretraining import pretrain

    pretrain(make_settings({"encoder.dim": 32}, steps=1), output=tmp_path / "other")
    assert transformer.fit_transform(["CCO"]).shape == (1, 64)
    transformer.set_params(model=tmp_path / "other")
    assert transformer.fit_transform(["CCO"]).shape == (1, 32)
    assert len(transformer.get_feature_names_out()) == 32


def test_pickle_holds_the_path_not_the_weights(transformer, smiles):
    expected = transformer.fit_transform(smiles)
    data = pickle.dumps(transformer)
    assert len(data) < 2000
    assert np.array_equal(pickle.loads(data).transform(smiles), expected)


def test_unpickled_without_its_model(run, tmp_path):
    shutil.copytree(run.model, tmp_path / "model")
    data = pickle.dumps(MolvecTransformer(tmp_path / "model").fit(["CCO"]))
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(UserError, match="there is no model"):
        pickle.loads(data).transform(["CCO"])


def test_pandas_output(transformer, smiles):
    frame = pd.DataFrame({"smiles": smiles}, index=[f"m{i}" for i in range(len(smiles))])
    result = transformer.set_output(transform="pandas").fit_transform(frame)
    assert list(result.columns) == [f"molvec{i}" for i in range(64)]
    assert list(result.index) == list(frame.index)
    assert np.array_equal(
        result.to_numpy(), transformer.set_output(transform="default").transform(frame)
    )


def test_bad_rows(run):
    items = ["CCO", "bad", None]
    vectors = MolvecTransformer(run.folder).fit_transform(items)
    assert np.isnan(vectors).all(1).tolist() == [False, True, True]
    with pytest.raises(UserError, match="row 1: not valid SMILES"):
        MolvecTransformer(run.folder, on_error="raise").fit_transform(items)
    with pytest.raises(ValueError, match="on_error must be 'nan' or 'raise', got 'drop'"):
        MolvecTransformer(run.folder, on_error="drop").fit_transform(items)


def test_fit_without_a_model(tmp_path):
    with pytest.raises(UserError, match="is not a model"):
        MolvecTransformer(tmp_path).fit(["CCO"])


def test_in_a_pipeline(run, smiles):
    """The share of aromatic atoms in real molecules, from frozen features."""
    mols = [Chem.MolFromSmiles(text) for text in smiles]
    share = np.array([np.mean([atom.GetIsAromatic() for atom in mol.GetAtoms()]) for mol in mols])
    pipeline = make_pipeline(MolvecTransformer(run.folder), StandardScaler(), Ridge(10.0))
    predicted = pipeline.fit(smiles, share).predict(smiles)
    assert pipeline.score(smiles, share) > 0.9
    assert np.allclose(clone(pipeline).fit(smiles, share).predict(smiles), predicted)
    assert cross_val_score(pipeline, smiles, share, cv=3).mean() > 0.5
    assert list(pipeline[:-1].get_feature_names_out())[:2] == ["molvec0", "molvec1"]


def test_among_other_columns(run, smiles):
    frame = pd.DataFrame({"smiles": smiles, "dose": np.linspace(0, 1, len(smiles))})
    columns = ColumnTransformer(
        [("mol", MolvecTransformer(run.folder), "smiles"), ("rest", StandardScaler(), ["dose"])]
    )
    assert columns.fit_transform(frame).shape == (len(smiles), 65)
