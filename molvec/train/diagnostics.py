"""What a logged step records: the loss and the signs of collapse."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from molvec.objective import Data2VecOutput
from molvec.objective.collapse import channel_std, effective_rank


@torch.no_grad()
def diagnostics(output: Data2VecOutput, batch: Batch) -> dict[str, float]:
    """Return named numbers for one evaluated batch.

    ``effective_rank`` is that of the teacher's mean-pooled outputs over the graphs of the batch;
    ``input_rank`` that of its pooled input embeddings, the yardstick beside it.
    """
    output_rank, input_rank = (
        _rank(scatter(nodes, batch.batch, dim_size=batch.num_graphs, reduce="mean"))
        for nodes in (output.teacher.output, output.teacher.embedded)
    )
    return {
        "loss": float(output.loss),
        **{f"{name}_loss": float(part) for name, part in output.parts.items()},
        "target_std": channel_std(output.target),
        "prediction_std": channel_std(output.prediction),
        "effective_rank": output_rank,
        "input_rank": input_rank,
    }


def _rank(values: Tensor) -> float:
    """Effective rank; NaN where there is none, as the decomposition fails on such input."""
    return effective_rank(values) if bool(values.isfinite().all()) else float("nan")
