"""A network trained by stochastic gradient descent, and the time of an epoch by each of four methods."""

from diffkit.lab import data
from diffkit.lab.networks import Network
from diffkit.lab.training import compare_methods, train

training, test = data.get("band").split(test=0.25)
network = Network((2, 3, 1))
trained = train(network, training, test, method="reverse", rate=0.5, epochs=40)
wrong = (data.classes(network.predict(trained.parameters, test.X)) != test.labels).sum()
print(f"test cross-entropy {trained.history[-1].test:.4f}, {wrong} of {test.X.shape[1]} new points wrong")
print(compare_methods(network, training, epochs=3))
