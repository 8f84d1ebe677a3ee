"""Where the head of a model that is fine-tuned starts."""

from __future__ import annotations

import torch

from molvec.evaluate.linear import fit_logistic, fit_ridge
from molvec.evaluate.scaler import LIMIT
from molvec.nn.graph_model import GraphModel
from molvec.train.supervised import Part, in_batches


@torch.no_grad()
def start_head(network: GraphModel, train: Part, valid: Part, *, linear: bool) -> None:
    """Tell the head the scale of features and targets, with the encoder as it is at the start.

    A head at random first pulls the encoder away from what it has learned ("linear probing, then
    fine-tuning", Kumar et al. 2022, arXiv 2202.10054).

    Args:
        network: its head is changed, nothing else.
        train: what the scales and coefficients come from.
        valid: what chooses the strength of the linear head.
        linear: start as the linear head that is best on the features as they are; False leaves the
            weights as they are, and ``valid`` unread.
    """
    head = network.head
    features = in_batches(network, train.graphs, network.features)
    head.measure_features(features)
    head.measure_targets(train.targets.to(features.device))
    if not linear:
        return
    arrays = []
    for part, x in (
        (train, features),
        (valid, in_batches(network, valid.graphs, network.features)),
    ):
        z = ((x - head.mean) / head.std).clamp(-LIMIT, LIMIT)
        y = head.standardise(part.targets.to(x.device))
        arrays += [z.double().cpu().numpy(), y.double().cpu().numpy()]
    fit = fit_logistic if head.task == "classification" else fit_ridge
    best = fit(*arrays)
    head.out.weight.copy_(torch.from_numpy(best.coefficients.T))
    head.out.bias.copy_(torch.from_numpy(best.intercept))
