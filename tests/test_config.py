"""Settings: strict, the same in YAML, on the command line and in Python."""

import pytest
import yaml
from pydantic import BaseModel

from molvec.config import (
    dump_settings,
    list_recipes,
    load_finetune_settings,
    load_settings,
    parse_overrides,
    parse_settings,
)
from molvec.corpus import build_featurizer
from molvec.errors import UserError
from molvec.masking import MaskSampler
from molvec.pretraining import build_model, encoder_config
from molvec.settings import FinetuneSettings, PretrainSettings
from tests.networks import featurizer_of, knowledge

OTHER = {
    "data.source": "file:x.smi",
    "data.extra": {"nci": 60},
    "data.smiles_column": "smi",
    "data.max_atoms": 50,
    "data.workers": 0,
    "encoder.preset": "base",
    "encoder.dim": 128,
    "encoder.depth": 2,
    "encoder.heads": 2,
    "encoder.local": True,
    "encoder.random_walk": False,
    "encoder.readout": "mean",
    "student.kind": "mask_token",
    "student.dropout": 0.1,
    "student.predictor_width": 64,
    "student.predictor_depth": 1,
    "student.predictor_heads": 2,
    "mask.kind": "random",
    "mask.ratio": 0.25,
    "mask.views": 1,
    "objective.top_k": 2,
    "objective.loss": "smooth_l1",
    "objective.target": "whiten",
    "objective.shrinkage": 0.35,
    "objective.visible_weight": 0.5,
    "objective.graph_weight": 0.5,
    "objective.grounding_weight": 0.1,
    "objective.grounding": "descriptors",
    "objective.grounding_view": "full",
    "objective.grounding_size": 64,
    "objective.grounding_scale": "running",
    "ema.start": 0.9,
    "ema.end": 0.95,
    "ema.ramp": 1.0,
    "optimizer.lr": 3e-4,
    "optimizer.weight_decay": 0.1,
    "optimizer.betas": [0.8, 0.9],
    "optimizer.warmup": 0.0,
    "optimizer.clip": 5.0,
    "steps": 7,
    "batch_size": 3,
    "seed": 11,
    "accelerator": "cpu",
    "precision": "bf16-mixed",
    "export": "student",
    "log_every": 5,
    "checkpoint_every": 6,
    "keep": 1,
    "tensorboard": True,
}
"""A value other than the default for every setting of a run on molecules."""

PROTEINS = {
    "data.kind": "proteins",
    "data.source": "structures",
    "encoder.family": "equivariant",
}
OTHER_PROTEINS = PROTEINS | {
    "data.min_residues": 30,
    "data.max_residues": 500,
    "data.leave_out": "names.txt",
    "data.cutoff": 8.5,
    "data.max_neighbours": 12,
    "encoder.lmax": 2,
    "encoder.norms": True,
    "mask.noise": 0.25,
}
"""The same for those that only proteins have."""

CONFORMERS = {
    "data.kind": "conformers",
    "data.source": "qm9",
    "encoder.family": "equivariant",
    "objective.grounding": "extended_huckel",
    "objective.grounding_weight": 1.0,
    "objective.grounding_view": "clean",
}
"""Conformers with a grounding term that only they have."""

DISTANCES = {**PROTEINS, "encoder.family": "graph_transformer", "encoder.reach": 10.0}
"""Proteins through the graph Transformer."""

OTHER_FINETUNE = {
    "preset": "base",
    "readout": "mean",
    "head_start": "random",
    "hidden": 64,
    "dropout": 0.35,
    "noise": 0.25,
    "precision": "bf16-mixed",
    "epochs": 7,
    "batch_size": 3,
    "lr": 2e-5,
    "head_lr_factor": 7.0,
    "layer_decay": 0.35,
    "freeze": "encoder",
    "weight_decay": 0.35,
    "warmup": 0.35,
    "clip": 5.5,
    "patience": 4,
    "max_atoms": 50,
    "seed": 11,
    "device": "cpu",
}


def leaves(model, prefix=""):
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def value_of(settings, key):
    for part in key.split("."):
        settings = getattr(settings, part)
    return list(settings) if isinstance(settings, tuple) else settings


OTHER_NETWORKS = {
    "data.relations": True,
    "data.columns": {"source": "a", "target": "b"},
    "data.features": "f.csv",
    "data.positions": 7,
    "data.entity_table": False,
    "data.sample_nodes": 16,
    "data.sampling": "hops",
    "data.restart": 0.5,
    "data.hops": 3,
    "data.hop_neighbours": 4,
    "encoder.entity_scale": 0.5,
    "student.predictor_edges": True,
    "mask.edges": 0.25,
    "objective.link_weight": 0.5,
}


@pytest.mark.parametrize("key", sorted(OTHER_NETWORKS))
def test_settings_of_networks_have_a_meaning_for_networks_alone(key):
    given = {"data.kind": "networks", "data.source": "e.tsv", "mask.edges": 0.5}
    given[key] = OTHER_NETWORKS[key]
    assert value_of(load_settings(None, given), key) == OTHER_NETWORKS[key]
    with pytest.raises(UserError, match="has no meaning for molecules"):
        load_settings(None, {key: OTHER_NETWORKS[key]})


def test_a_predictor_of_mask_tokens_has_no_edges():
    given = {"data.kind": "networks", "data.source": "e.tsv", "student.kind": "mask_token"}
    with pytest.raises(UserError, match=r"predictor_edges needs student\.kind visible"):
        load_settings(None, given | {"student.predictor_edges": True})


def test_every_setting_is_listed_above():
    listed = OTHER | OTHER_PROTEINS | DISTANCES | OTHER_NETWORKS
    assert sorted(leaves(PretrainSettings)) == sorted(listed)


def test_the_graph_transformer_reads_distances_where_there_are_coordinates():
    settings = load_settings(None, DISTANCES | parse_overrides(["encoder.reach=12.5"]))
    assert encoder_config(settings)["reach"] == 12.5
    assert load_from_text(dump_settings(settings)) == settings
    small = {"encoder.dim": 32, "encoder.depth": 2, "encoder.heads": 2}
    settings = load_settings("pdb", DISTANCES | small)
    model = build_model(settings, build_featurizer(settings.data))
    assert model.teacher.bias.space.basis.cutoff == 10.0
    assert model.student.predictor.bias.space.basis.cutoff == 10.0
    assert "reach" not in encoder_config(PretrainSettings())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"encoder.reach": 10.0}, "encoder.reach needs coordinates, molecules have none"),
        (
            {"encoder.readout": "layers_patch_mean"},
            "encoder.readout layers_patch_mean needs coordinates, molecules have none",
        ),
        (PROTEINS | {"encoder.reach": 10.0}, "encoder.reach has no meaning for an equivariant"),
        (PROTEINS | {"encoder.local": True}, "encoder.local has no meaning for an equivariant"),
        (
            PROTEINS | {"encoder.random_walk": False},
            "encoder.random_walk has no meaning for an equivariant",
        ),
        (
            PROTEINS | {"student.dropout": 0.1},
            "student.dropout has no meaning for an equivariant encoder",
        ),
        (DISTANCES | {"encoder.reach": None}, r"or graph_transformer with encoder.reach, e.g. 20"),
        (DISTANCES | {"encoder.reach": 0.0}, "encoder.reach: Input should be greater than 0"),
        (DISTANCES | {"encoder.norms": True}, "encoder.norms needs encoder.family equivariant"),
        (DISTANCES | {"student.kind": "mask_token"}, "proteins need student.kind visible"),
    ],
)
def test_reach_where_it_has_no_meaning(overrides, message):
    with pytest.raises(UserError, match=message):
        load_settings(None, overrides)


def test_missing_links_need_edges_that_are_missing():
    with pytest.raises(UserError, match=r"objective.link_weight needs mask.edges"):
        load_settings("kg", {"data.source": "umls", "objective.link_weight": 1, "mask.edges": 0})


@pytest.mark.parametrize(
    ("base", "kind", "fitting"),
    [
        ({}, "extended_huckel", "fingerprint or descriptors or surroundings"),
        (PROTEINS, "extended_huckel", "proteins need objective.grounding surroundings"),
        (
            {"data.kind": "networks", "data.source": "e.tsv"},
            "fingerprint",
            "networks need objective.grounding surroundings",
        ),
        (CONFORMERS, "fingerprint", "objective.grounding surroundings or extended_huckel or xtb"),
    ],
)
def test_a_grounding_of_another_kind_of_data_is_refused(base, kind, fitting):
    chosen = {"objective.grounding": kind, "objective.grounding_weight": 1.0}
    with pytest.raises(UserError, match=fitting):
        load_settings(None, base | chosen)


@pytest.mark.parametrize("key", sorted(OTHER | OTHER_PROTEINS))
def test_every_setting_can_be_set(key):
    chosen, base = (OTHER_PROTEINS, PROTEINS) if key in OTHER_PROTEINS else (OTHER, {})
    chosen = OTHER if key == "data.source" else chosen
    base = {} if key == "data.source" else base
    text = yaml.safe_dump(chosen[key], default_flow_style=True).split("\n")[0]
    settings = load_settings(None, base | parse_overrides([f"{key}={text}"]))
    assert value_of(settings, key) == chosen[key]
    assert settings != PretrainSettings()
    if key not in PROTEINS:
        assert settings != load_settings(None, base)
    assert load_from_text(dump_settings(settings)) == settings


def load_from_text(text):
    return parse_settings(yaml.safe_load(text))


@pytest.mark.parametrize(
    "other",
    [OTHER, OTHER_PROTEINS, CONFORMERS, DISTANCES],
    ids=["molecules", "proteins", "conformers", "distances"],
)
def test_round_trip_through_a_file(tmp_path, other):
    settings = load_settings(None, other)
    path = tmp_path / "config.yaml"
    path.write_text(dump_settings(settings))
    assert load_settings(path) == settings


def test_shipped_recipes():
    assert set(list_recipes()) >= {"nci", "zinc", "qm9", "pdb"}


@pytest.mark.parametrize("recipe", list_recipes())
def test_every_recipe_builds_a_model(recipe):
    given = {"data.source": "given"} if recipe in ("pdb", "ppi", "kg") else {}
    settings = load_settings(recipe, given)
    assert load_from_text(dump_settings(settings)) == settings
    # Its own preset may be large: the same, narrow and shallow.
    small = given | {"encoder.dim": 32, "encoder.depth": 2}
    if settings.encoder.family == "graph_transformer":
        small["encoder.heads"] = 2
    if settings.data.kind == "networks":
        featurizer = featurizer_of(knowledge())
    else:
        featurizer = build_featurizer(settings.data)
    assert build_model(load_settings(recipe, small), featurizer).teacher.dim == 32
    assert encoder_config(settings)["dim"] > 32
    MaskSampler(**settings.mask.model_dump(exclude={"noise", "edges"}), seed=settings.seed)


def test_overrides_win_over_the_recipe(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("mask: {ratio: 0.3, views: 2}\n")
    settings = load_settings(path, {"mask.ratio": 0.4})
    assert (settings.mask.ratio, settings.mask.views) == (0.4, 2)


def test_parse_overrides():
    parsed = parse_overrides(
        [
            "mask.ratio=0.6",
            " steps =10",
            "tensorboard=true",
            "data.smiles_column=a=b",
            "x=",
            "b=[1]",
        ]
    )
    assert parsed == {
        "mask.ratio": 0.6,
        "steps": 10,
        "tensorboard": True,
        "data.smiles_column": "a=b",
        "x": None,
        "b": [1],
    }
    assert parse_overrides([]) == {}
    for wrong in ("mask.ratio", "=3", ""):
        with pytest.raises(UserError, match="KEY=VALUE"):
            parse_overrides([wrong])


def test_numbers_as_people_write_them():
    """YAML 1.1 reads 1e-3 as a text."""
    assert load_settings(None, parse_overrides(["optimizer.lr=1e-3"])).optimizer.lr == 1e-3


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            {"optimizer": {"learning_rate": 1}},
            r"unknown setting 'optimizer.learning_rate'\. Known:",
        ),
        ({"optimizer": {"betta": 1}}, r"'optimizer.betta'\. Did you mean 'betas'\?"),
        ({"encoder": {"dimm": 1}}, r"'encoder.dimm'\. Did you mean 'dim'\? Known: family, preset"),
        ({"optimizer": {"betas": [0.9]}}, r"setting optimizer\.betas\.1: Field required"),
        ({"optimizer": {"betas": [0.9, 2]}}, r"setting optimizer\.betas\.1: .*less than or equal"),
        ({"mask": None}, "setting mask: .*got None"),
        ({"ema": {"start": float("nan")}}, "setting ema.start: .*finite"),
    ],
)
def test_wrong_settings(tree, message):
    with pytest.raises(UserError, match=message):
        parse_settings(tree)


def test_settings_cannot_change_under_a_run():
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        PretrainSettings().steps = 3


# --- fine-tuning: the same rules ----------------------------------------------------------------


def test_every_setting_of_fine_tuning_is_listed_above():
    assert sorted(leaves(FinetuneSettings)) == sorted(OTHER_FINETUNE)


@pytest.mark.parametrize("key", sorted(OTHER_FINETUNE))
def test_every_setting_of_fine_tuning_can_be_set(key, tmp_path):
    settings = load_finetune_settings(parse_overrides([f"{key}={OTHER_FINETUNE[key]}"]))
    assert value_of(settings, key) == OTHER_FINETUNE[key]
    assert settings != FinetuneSettings()
    path = tmp_path / "settings.yaml"
    path.write_text(dump_settings(settings))
    assert load_finetune_settings(file=path) == settings
    assert load_finetune_settings({"seed": 3}, file=path).seed == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer_decy": 0.5}, r"unknown setting 'layer_decy'\. Did you mean 'layer_decay'\?"),
        ({"freeze": "head"}, "setting freeze: .*expected a number of blocks, or encoder"),
        ({"freeze": -1}, "setting freeze: .*expected a number of blocks"),
        ({"freeze": True}, "setting freeze: .*expected a number of blocks"),
        ({"layer_decay": 0}, "setting layer_decay: .*greater than 0"),
        ({"layer_decay": 1.5}, "setting layer_decay: .*less than or equal to 1"),
        ({"dropout": 1}, "setting dropout: .*less than 1"),
        ({"epochs": 0}, "setting epochs: .*greater than 0"),
        ({"readout": "max"}, "setting readout: .*'mean_sum'"),
    ],
)
def test_wrong_settings_of_fine_tuning(changes, message):
    with pytest.raises(UserError, match=message):
        load_finetune_settings(changes)
