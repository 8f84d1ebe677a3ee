import pytest
import torch

from molvec.train.precision import resolve_precision


@pytest.mark.parametrize(
    ("amx", "processor", "bf16", "expected"),
    [
        (True, "Intel(R) Xeon(R) Processor", True, "bf16-mixed"),
        (False, "Intel(R) Xeon(R) Processor", True, "32-true"),  # half the rate of float32
        (False, "AMD EPYC", True, "bf16-mixed"),
        (False, "AMD EPYC", False, "32-true"),
    ],
)
def test_precision_follows_the_processor(monkeypatch, amx, processor, bf16, expected):
    capabilities = {"cpu_name": processor, "avx512_bf16": bf16}
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert resolve_precision("auto", "cpu") == expected
    assert resolve_precision("32-true", "cpu") == "32-true"
    assert resolve_precision("auto", "cpu", family="equivariant") == "32-true"
    assert resolve_precision("bf16-mixed", "cpu", family="equivariant") == "bf16-mixed"
