"""A planet for a thousand years: its force is the derivative of a potential, its orbit a fold of one step."""

from time import perf_counter

import numpy as np

import diffkit as dk

ROUNDS, YEARS = 1000, 1000  # rounds a year


def potential(place):
    """Of the sun's attraction, in astronomical units and years."""
    return -4 * np.pi**2 / np.sqrt(np.sum(place**2))


def step(place, speed, time):
    """Half a push, a drift, half a push (Verlet, 1967); and the energy there, which should stay."""
    speed = speed - time / 2 * dk.grad(potential)(place)
    place = place + time * speed
    speed = speed - time / 2 * dk.grad(potential)(place)
    return place, speed, np.sum(speed**2) / 2 + potential(place)


place, speed = np.array([1.0, 0.0]), np.array([0.0, 2 * np.pi * 0.8])
times = np.broadcast_to(1 / ROUNDS, ROUNDS * YEARS)
plan = dk.get("reverse").prepare(step, place, speed, times[0], product="value")
began = perf_counter()
(place, speed), (energy,) = plan.fold((place, speed), (times,))
print(f"{len(times):,} steps in {perf_counter() - began:.2f} s")
print(f"the energy stayed within {np.ptp(energy) / abs(energy[0]):.1e} of its size")
