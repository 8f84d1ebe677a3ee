"""A run's settings: typed and strict; :mod:`molvec.config` reads and writes them.

Components never see these objects: :mod:`molvec.pretraining` and :mod:`molvec.finetuning` unpack
them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Decay = Annotated[float, Field(ge=0, le=1)]
Preset = Literal["tiny", "small", "base"]
Readout = Literal[
    "mean",
    "mean_sum",
    "mean_max_sum",
    "jk_mean_max_sum",
    "layers_mean",
    "layers_mean_sum",
    "layers_patch_mean",  # in space only
]


def _check_freeze(value: Any) -> Any:
    """One message in place of pydantic's two, one for each side of the union."""
    if value != "encoder" and (type(value) is not int or value < 0):
        raise ValueError("expected a number of blocks, or encoder")
    return value


Freeze = Annotated[int | Literal["encoder"], BeforeValidator(_check_freeze)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSettings(_Strict):
    """What to learn from: molecules as graphs or in space, protein chains, or a network."""

    kind: Literal["molecules", "conformers", "proteins", "networks"] = "molecules"
    source: str = "zinc"  # name of a data set (`molvec data list`), a file; in space: a folder too
    workers: Annotated[int, Field(ge=0)] = 1  # processes that parse and featurise ahead
    # Molecules:
    extra: dict[str, Positive] = {}  # more of them -> how often an epoch takes each of their rows
    # Molecules and conformers:
    smiles_column: str | None = None  # conformers: geometries are then made of SMILES
    max_atoms: Positive = 128  # larger molecules are skipped in training, and counted
    # Proteins:
    min_residues: Annotated[int, Field(ge=2)] = 20  # shorter chains are skipped, and named
    max_residues: Positive = 1000  # longer ones too
    leave_out: str | None = None  # a text file: names of chains, one a line, e.g. 1abc_A
    # Networks:
    relations: bool | None = None  # whether rows are triples; by default the table's form tells
    columns: dict[str, str] = {}  # source, target, relation, weight -> a name in the header
    features: str | None = None  # a table of numbers, a row per node
    positions: Annotated[int, Field(ge=0)] = 0  # numbers that say where in the network a node is
    entity_table: bool = True  # a vector of its own for every node
    sample_nodes: Annotated[int, Field(ge=2)] = 32  # most nodes of a neighbourhood
    sampling: Literal["walk", "hops"] = "walk"
    restart: Share = 0.2  # walk: probability that the next step leaves from the start
    hops: Positive = 2  # hops: how far to go
    hop_neighbours: Positive = 8  # hops: most neighbours that each node contributes
    # Conformers and proteins:
    cutoff: Annotated[float, Field(gt=0)] | None = None  # Angstrom; 5 for atoms, 10 for CA atoms
    max_neighbours: Positive | None = None  # the nearest; 32 of an atom, 24 of a residue

    @model_validator(mode="after")
    def _belongs(self) -> DataSettings:
        """Refuse settings of the other kind: they would have no effect."""
        chains, space = ("min_residues", "max_residues", "leave_out"), ("cutoff", "max_neighbours")
        sample = ("sample_nodes", "sampling", "restart", "hops", "hop_neighbours")
        network = ("relations", "columns", "features", "positions", "entity_table", *sample)
        molecules = ("extra", "smiles_column", "max_atoms")
        others = {
            "molecules": (*chains, *space, *network),
            "conformers": ("extra", *chains, *network),
            "proteins": (*molecules, *network),
            "networks": (*molecules, *chains, *space),
        }[self.kind]
        for name in others:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} has no meaning for {self.kind}")
        if self.kind == "proteins" and "source" not in self.model_fields_set:
            raise ValueError("say where the structures are: --data FOLDER")
        if self.kind == "networks" and "source" not in self.model_fields_set:
            raise ValueError("say where the network is: --data FILE, a table of edges or triples")
        return self

    @property
    def in_space(self) -> bool:
        """Whether graphs have positions."""
        return self.kind in ("conformers", "proteins")

    @property
    def graphs(self) -> str:
        """What one of its graphs is called, in the plural."""
        return {"proteins": "chains", "networks": "neighbourhoods"}.get(self.kind, self.kind)


class EncoderSettings(_Strict):
    """A preset's name, and single values to put in place of the preset's."""

    family: Literal["graph_transformer", "equivariant"] = "graph_transformer"
    preset: Preset = "small"
    dim: Positive | None = None
    depth: Positive | None = None
    heads: Positive | None = None  # graph_transformer only
    local: bool = False  # GINE branch in every block; graph_transformer only
    # probabilities that a random walk returns, of every node; graph_transformer only
    random_walk: bool = True
    # graph_transformer with coordinates only: attention reads distances below, Angstrom
    reach: Annotated[float, Field(gt=0)] | None = None
    # networks only: standard deviation of the entity table at the start
    entity_scale: Annotated[float, Field(gt=0)] = 1.0
    lmax: Literal[1, 2] | None = None  # equivariant only: highest degree of features
    norms: bool = False  # equivariant only: hidden states, and so targets, hold lengths of vectors
    readout: Readout = "mean_sum"  # nodes -> graph, for `embed`


class StudentSettings(_Strict):
    """How the student does not see: data2vec 2.0 leaves nodes out, data2vec uses mask tokens."""

    kind: Literal["visible", "mask_token"] = "visible"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # in its blocks; graph_transformer only
    predictor_width: Positive = 128  # visible only
    predictor_depth: Positive = 2
    predictor_heads: Positive = 4
    predictor_edges: bool = False  # networks only: it knows the relations of hidden nodes


class MaskSettings(_Strict):
    """What is hidden, and how many views of each molecule share one pass of the teacher."""

    kind: Literal["subgraph", "random", "ball"] = "subgraph"
    ratio: Share = 0.6
    views: Positive = 4
    noise: Annotated[float, Field(ge=0)] = 0.0  # on the student's coordinates, Angstrom
    edges: Annotated[float, Field(ge=0, lt=1)] = 0.0  # networks: share hidden from the student


class ObjectiveSettings(_Strict):
    """Targets and loss."""

    top_k: Positive | None = None  # teacher blocks to average; all of them by default
    target: Literal["standardize", "whiten"] = "standardize"  # channels of that average
    # whiten: share of the mean variance that is added to every direction's; larger, less whitened
    shrinkage: Annotated[float, Field(gt=0)] = 0.01
    loss: Literal["mse", "smooth_l1"] = "mse"
    visible_weight: Annotated[float, Field(ge=0)] = 1.0  # predict at visible nodes too
    graph_weight: Annotated[float, Field(ge=0)] = 0.0  # predict the teacher's view of the whole
    grounding_weight: Annotated[float, Field(ge=0)] = 0.0  # predict what the graph says of itself
    # molecules: what RDKit computes of the graph, or (surroundings) of each atom and the graph; in
    # space: what surrounds an atom or a residue, or (conformers) what a calculation of
    # its electrons says; networks: what surrounds a node in the whole network
    grounding: Literal["fingerprint", "descriptors", "surroundings", "extended_huckel", "xtb"] = (
        "fingerprint"
    )
    # full: one more pass of the student; clean: the same, over coordinates without noise, or with
    # the edges that mask.edges hides
    grounding_view: Literal["masked", "full", "clean"] = "masked"
    grounding_size: Positive = 1024  # number of fingerprint bits
    # values are standardised by what they are in the batch, or in all batches so far
    grounding_scale: Literal["batch", "running"] = "batch"
    link_weight: Annotated[float, Field(ge=0)] = (
        0.0  # networks: find the edges that mask.edges hides
    )


GROUNDINGS = {
    "molecules": ("fingerprint", "descriptors", "surroundings"),
    "conformers": ("surroundings", "extended_huckel", "xtb"),
    "proteins": ("surroundings",),
    "networks": ("surroundings",),
}
"""What the grounding term can predict, by kind of data."""

GRAPH_GROUNDINGS = ("fingerprint", "descriptors")
"""Those with one row per graph; the others have one per node."""


class EmaSettings(_Strict):
    """The teacher's decay: linear from start to end over the first share ``ramp`` of the steps."""

    start: Decay = 0.99
    end: Decay = 0.999
    ramp: Annotated[float, Field(ge=0, le=1)] = 0.3


class OptimizerSettings(_Strict):
    """AdamW, linear warm-up over a share of the steps, cosine decay."""

    lr: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    betas: tuple[Decay, Decay] = (0.9, 0.98)
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    clip: Annotated[float, Field(gt=0)] = 1.0  # norm of the gradient


class PretrainSettings(_Strict):
    """A pretraining run."""

    data: DataSettings = DataSettings()
    encoder: EncoderSettings = EncoderSettings()
    student: StudentSettings = StudentSettings()
    mask: MaskSettings = MaskSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    ema: EmaSettings = EmaSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    steps: Positive = 5000
    batch_size: Annotated[int, Field(ge=2)] = 64
    seed: Annotated[int, Field(ge=0)] = 0
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    export: Literal["teacher", "student"] = "teacher"  # whose weights become the model
    log_every: Positive = 20
    checkpoint_every: Positive = 500
    keep: Positive = 2
    tensorboard: bool = False

    @model_validator(mode="after")
    def _fits(self) -> PretrainSettings:
        """Refuse parts that cannot work together."""
        space = self.data.in_space
        equivariant = self.encoder.family == "equivariant"
        reach = self.encoder.reach is not None
        for name in ("reach", "local", "random_walk"):
            if (
                equivariant
                and getattr(self.encoder, name) != EncoderSettings.model_fields[name].default
            ):
                raise ValueError(f"encoder.{name} has no meaning for an equivariant encoder")
        if equivariant and self.student.dropout:
            raise ValueError("student.dropout has no meaning for an equivariant encoder")
        if space and not equivariant and not reach:
            raise ValueError(
                f"{self.data.kind} need encoder.family equivariant, or graph_transformer with "
                "encoder.reach, e.g. 20"
            )
        if self.encoder.norms and not equivariant:
            raise ValueError("encoder.norms needs encoder.family equivariant")
        if not space and equivariant:
            raise ValueError(f"{self.data.kind} need encoder.family graph_transformer")
        if not space and reach:
            raise ValueError(f"encoder.reach needs coordinates, {self.data.kind} have none")
        if not space and self.encoder.readout == "layers_patch_mean":
            raise ValueError(
                f"encoder.readout layers_patch_mean needs coordinates, {self.data.kind} have none"
            )
        if not space and (self.mask.kind == "ball" or self.mask.noise):
            raise ValueError(
                f"mask.kind ball and mask.noise need coordinates, {self.data.kind} have none"
            )
        if self.encoder.entity_scale != 1 and self.data.kind != "networks":
            raise ValueError(f"encoder.entity_scale has no meaning for {self.data.kind}")
        if self.mask.edges and self.data.kind != "networks":
            raise ValueError(f"mask.edges has no meaning for {self.data.kind}")
        if self.objective.link_weight and self.data.kind != "networks":
            raise ValueError(f"objective.link_weight has no meaning for {self.data.kind}")
        if self.objective.link_weight and not self.mask.edges:
            raise ValueError("objective.link_weight needs mask.edges: edges to find")
        if self.student.predictor_edges and self.data.kind != "networks":
            raise ValueError(
                f"student.predictor_edges has no meaning for {self.data.kind}: bonds tell what is "
                "hidden"
            )
        if self.student.predictor_edges and self.student.kind != "visible":
            raise ValueError("student.predictor_edges needs student.kind visible")
        known = GROUNDINGS[self.data.kind]
        if self.objective.grounding_weight and self.objective.grounding not in known:
            raise ValueError(f"{self.data.kind} need objective.grounding {' or '.join(known)}")
        if space and self.student.kind != "visible":
            raise ValueError(
                f"{self.data.kind} need student.kind visible: mask tokens have positions"
            )
        return self


class FinetuneSettings(_Strict):
    """Fine-tuning an encoder on molecules with labels, or training one on them from scratch."""

    preset: Preset = "small"  # size of an encoder from scratch; a model brings its own
    readout: Readout | None = None  # nodes -> graph; the model's own by default
    hidden: Positive | None = None  # width of the head's hidden layer; None: a linear head
    # linear: what is best on the features before training; a head with a hidden layer: random
    head_start: Literal["linear", "random"] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1  # in the head and a Transformer's blocks
    noise: Annotated[float, Field(ge=0)] = 0.0  # on coordinates while learning, Angstrom; 3D only
    epochs: Positive = 30
    batch_size: Positive = 32
    lr: Annotated[float, Field(gt=0)] = 3e-4  # peak rate of the encoder's last block
    head_lr_factor: Annotated[float, Field(gt=0)] = 1.0  # the head's rate over the last block's
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0  # each lower block's rate over the next
    freeze: Freeze = 0  # how many lowest blocks stay as they are, with the embeddings; or "encoder"
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1  # share of the steps
    clip: Annotated[float, Field(gt=0)] = 1.0  # norm of the gradient
    patience: Positive | None = None  # stop after so many epochs without a better validation score
    max_atoms: Positive | None = None  # larger molecules are not trained on, but predicted
    seed: Annotated[int, Field(ge=0)] = 0
    device: str = "auto"
    # of the encoder while it learns; its predictions are float32
    precision: Literal["auto", "32-true", "bf16-mixed"] = "32-true"

    @model_validator(mode="after")
    def _fits(self) -> FinetuneSettings:
        if self.hidden is not None and self.head_start == "linear":
            raise ValueError("head_start linear needs a head without a hidden layer; drop hidden")
        return self
