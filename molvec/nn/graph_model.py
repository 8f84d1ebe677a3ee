"""An encoder, a readout and a head: graphs in, targets out."""

from __future__ import annotations

from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import Encoder
from molvec.nn.head import GraphHead
from molvec.nn.readout import READOUTS


class GraphModel(nn.Module):
    r"""What fine-tuning trains.

    .. math:: o = \mathrm{head}(\mathrm{readout}(\mathrm{encoder}(G)))

    Parts whose parameters are all fixed (frozen layers) stay in evaluation mode: without dropout.

    Shapes:
        - output: ``[num_graphs, num_targets]``, logits or standardised values.
    """

    def __init__(self, encoder: Encoder, readout: str, head: GraphHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.readout = readout
        self.head = head

    def features(self, batch: Batch) -> Tensor:
        """Return the graphs' vectors: ``[num_graphs, width]``."""
        return READOUTS[self.readout](self.encoder(batch), batch)

    def forward(self, batch: Batch) -> Tensor:
        """Return the head's outputs."""
        return self.head(self.features(batch))

    def train(self, mode: bool = True) -> GraphModel:
        """Switch mode; frozen parts stay in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            parameters = list(module.parameters())
            if parameters and not any(p.requires_grad for p in parameters):
                module.eval()
        return self
