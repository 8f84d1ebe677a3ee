"""Dataset cards: what a data set is, where it comes from, and the sha256 that proves it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from molvec.errors import UserError, did_you_mean

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _inner(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts:
        raise ValueError("must be a relative path with forward slashes, inside its folder")
    return path


InnerPath = Annotated[str, AfterValidator(_inner)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RdkitSource(_Strict):
    """A file that RDKit ships: nothing to download."""

    kind: Literal["rdkit"] = "rdkit"
    path: InnerPath  # inside RDConfig.RDDataDir

    def __str__(self) -> str:
        return f"RDKit's {self.path}"


class UrlSource(_Strict):
    """A file on a web server."""

    kind: Literal["url"] = "url"
    url: Annotated[str, Field(pattern=r"^https://")]

    def __str__(self) -> str:
        return self.url


class PypiSource(_Strict):
    """A file inside a wheel, fetched with the user's own pip settings."""

    kind: Literal["pypi"] = "pypi"
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")]
    sha256: Sha256  # of the wheel
    member: InnerPath

    def __str__(self) -> str:
        return f"PyPI {self.package}=={self.version}"


Source = Annotated[RdkitSource | UrlSource | PypiSource, Field(discriminator="kind")]


class DatasetCard(_Strict):
    """One data set. The content is one file, the same bytes whichever source it came from."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    description: str
    licence: str
    citation: str
    rows: Annotated[int, Field(gt=0)]  # records in the content file
    failures: Annotated[int, Field(ge=0)]  # of them, those RDKit cannot make a molecule of
    smiles_column: str | None = None  # None: the file has no columns
    file: Annotated[str, Field(pattern=r"^[^/\\]+$")]  # name of the content file
    sha256: Sha256  # of the content file
    mirror_path: InnerPath  # the content file inside a MOLVEC_MIRROR folder
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]  # tried in this order


def cards_folder() -> Path:
    """Return the folder of the cards: inside an installed package, or the repository's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def list_cards() -> list[str]:
    """Return the names of all cards, sorted."""
    return sorted(path.stem for path in cards_folder().glob("*.yaml"))


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
    import yaml

    try:
        card = DatasetCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(field, DatasetCard.model_fields)
        raise UserError(f"{path}: {field or 'the card'}: {first['msg']}.{hint}") from None
    if card.name != path.stem:
        raise UserError(f"{path}: name is {card.name!r} but the file is named {path.stem!r}")
    return card
