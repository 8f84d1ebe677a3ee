"""The log: a line per step, none twice, none lost."""

import json

import pytest

from molvec.errors import UserError
from molvec.train.log import MetricsLog, read_lines


def write(folder, steps, start=0):
    with MetricsLog(folder, start=start) as log:
        for step in steps:
            log.write(step, {"loss": step / 2})


def steps_of(folder):
    return [line["step"] for line in read_lines(folder / "metrics.jsonl")]


def test_lines(tmp_path):
    write(tmp_path, [5, 10])
    text = (tmp_path / "metrics.jsonl").read_text()
    assert [json.loads(line) for line in text.splitlines()] == [
        {"step": 5, "loss": 2.5},
        {"step": 10, "loss": 5.0},
    ]


def test_readable_while_the_run_goes_on(tmp_path):
    with MetricsLog(tmp_path) as log:
        log.write(1, {"loss": 1.0})
        assert steps_of(tmp_path) == [1]


def test_a_resumed_run_goes_on_where_its_checkpoint_is(tmp_path):
    write(tmp_path, [5, 10, 15, 20])
    write(tmp_path, [15, 20, 25], start=12)
    assert steps_of(tmp_path) == [5, 10, 15, 20, 25]
    write(tmp_path, [25], start=20)
    assert steps_of(tmp_path) == [5, 10, 15, 20, 25]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_from_the_beginning(tmp_path):
    write(tmp_path, [5, 10])
    write(tmp_path, [5], start=0)
    assert steps_of(tmp_path) == [5]


def test_a_line_cut_short(tmp_path):
    write(tmp_path, [5, 10])
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 15, "lo')
    assert steps_of(tmp_path) == [5, 10]
    write(tmp_path, [15], start=10)
    assert steps_of(tmp_path) == [5, 10, 15]


def test_numbers_that_are_none(tmp_path):
    with MetricsLog(tmp_path) as log:
        log.write(1, {"loss": float("nan")})
    (line,) = read_lines(tmp_path / "metrics.jsonl")
    assert line["loss"] != line["loss"]


def test_no_log(tmp_path):
    assert read_lines(tmp_path / "metrics.jsonl") == []


def test_full_disk(tmp_path):
    from pathlib import Path

    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with MetricsLog(tmp_path) as log:
        log._file.close()
        log._file = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115
        with pytest.raises(UserError, match=r"cannot write .*metrics\.jsonl: No space left"):
            log.write(1, {"loss": 1.0})
        log._file = (tmp_path / "other").open("w")


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match=r"cannot write .*metrics\.jsonl: No such file"):
        MetricsLog(tmp_path / "none")
