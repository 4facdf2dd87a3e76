"""Networks of the course: feed-forward, convolutional and recurrent, each with its backward pass by hand.

>>> from diffkit.lab.networks import Network
>>> Network((2, 5, 3, 1)).count
37
"""

from __future__ import annotations

from diffkit.lab.networks.activations import ACTIVATIONS, Activation
from diffkit.lab.networks.losses import LOSSES, Loss
from diffkit.lab.networks.model import Model, check_model
from diffkit.lab.networks.network import Network
from diffkit.problems.convolutional import ConvolutionalNetwork
from diffkit.problems.recurrent import RecurrentNetwork

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Activation",
    "ConvolutionalNetwork",
    "Loss",
    "Model",
    "Network",
    "RecurrentNetwork",
    "check_model",
]
