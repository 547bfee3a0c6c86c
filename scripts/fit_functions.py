#!/usr/bin/env python3
"""Derives the polynomials of compiler/functions_*.cpp and prints their f32 coefficients, lowest first, and error.

Usage: fit_functions.py [tanh|logistic|expm1|log|log1p|erf|log_erfc]...      (needs python3-numpy; some seconds)

Each is a minimax fit in double by Lawson's reweighted least squares. The coefficients are rounded to f32 one by one,
lowest first, and those behind are fitted anew, so that they make up for the rounding. `ideal` is the error before it.
The error of the code, which the rounding of its own arithmetic dominates, is measured by tests/numerics/ulp.cpp.
"""
import math
import sys

import numpy as np

HALF_STEP = 0.3467  # ln 2 / 2 and a little: the reduced operand of exp, where a product rounds at a tie
SPLIT = 0.85        # erf below, erfc above


def least_squares(columns, target, weight):
    scale = np.max(np.abs(columns), axis=0)
    return np.linalg.lstsq(columns / scale * weight[:, None], target * weight, rcond=None)[0] / scale


def lawson(columns, target, rounds=60):
    """Coefficients c with max |columns @ c - target| as small as can be."""
    weight = np.ones(len(target))
    best, best_error = None, np.inf
    for _ in range(rounds):
        coefficients = least_squares(columns, target, np.sqrt(weight))
        error = np.abs(columns @ coefficients - target)
        if error.max() < best_error:
            best, best_error = coefficients, error.max()
        weight = weight * error / error.max() + 1e-12
        weight = weight / weight.max()
    return best, best_error


def fit(columns, target, weight, fixed):
    """Minimax of weight * (columns @ c - target) over the coefficients behind the `fixed` ones."""
    rest = (target - columns[:, :len(fixed)] @ np.array(fixed)) * weight
    free = columns[:, len(fixed):] * weight[:, None]
    if free.shape[1] == 0:
        return np.array(fixed), np.abs(rest).max()
    coefficients, error = lawson(free, rest)
    return np.concatenate([fixed, coefficients]), error


def polynomial(name, x, target, weight, degree, fixed=()):
    columns = np.stack([x ** k for k in range(degree + 1)], axis=1)
    fixed = list(fixed)
    ideal = fit(columns, target, weight, fixed)[1]
    while len(fixed) <= degree:
        fixed.append(float(np.float32(fit(columns, target, weight, fixed)[0][len(fixed)])))
    error = fit(columns, target, weight, fixed)[1]
    print(f"{name}: error {error:.2g}, ideal {ideal:.2g}")
    print("  {" + ", ".join(literal(c) for c in fixed) + "}")


def literal(value):
    mantissa, exponent = value.hex().split("p")
    return mantissa.rstrip("0").rstrip(".") + "p" + exponent + "f"


NODES = np.cos(np.linspace(0, np.pi, 3000))


def nodes(low, high):
    return (low + high) / 2 + NODES * (high - low) / 2


def series(x, exact, terms, limit):
    """`exact`, and near 0, where it cancels, the power series."""
    return np.where(np.abs(x) < limit, sum(c * x ** k for k, c in enumerate(terms)), exact)


def fit_tanh():  # tanh r = r + r^3 q(r^2)
    r = np.maximum(np.abs(NODES) * HALF_STEP / 2, 1e-3)
    polynomial("tanh", r * r, (np.tanh(r) - r) / r ** 3, r ** 3 / np.tanh(r), 1)


def fit_logistic():  # exp(-r), exact at 0
    r = NODES * HALF_STEP
    polynomial("logistic", r, np.exp(-r), np.exp(r), 5, [1.0])


def fit_expm1():  # expm1 r = r + r^2 q(r)
    r = NODES * HALF_STEP
    target = series(r, (np.expm1(r) - r) / (r * r), [1 / 2, 1 / 6, 1 / 24], 1e-3)
    polynomial("expm1", r, target, r * r / np.abs(np.expm1(r)), 4)


def fit_log():  # log(1 + f) = f - f^2 / 2 + f^3 q(f)
    f = nodes(math.sqrt(0.5) - 1, math.sqrt(2) - 1)
    target = series(f, (np.log1p(f) - f + f * f / 2) / f ** 3, [1 / 3, -1 / 4, 1 / 5, -1 / 6], 3e-3)
    polynomial("log", f, target, np.abs(f ** 3 / np.log1p(f)), 7)


def fit_log1p():  # log1p e = e q(e)
    e = np.maximum(nodes(0, 1), 1e-9)
    polynomial("log1p", e, np.log1p(e) / e, e / np.log1p(e), 9)


def fit_erf():  # erf a = a + a q(a^2)
    a = np.maximum(nodes(0, SPLIT), 1e-2)
    erf = np.vectorize(math.erf)(a)
    polynomial("erf", a * a, erf / a - 1, a / erf, 5)


def fit_log_erfc():  # log(erfc a); the weight serves erf = 1 - erfc and, in part, gelu's negative side
    a = nodes(SPLIT, 4)
    erfc = np.vectorize(math.erfc)(a)
    polynomial("log_erfc", a, np.log(erfc), np.sqrt(erfc), 7)


FITS = {function.__name__[4:]: function for function in
        (fit_tanh, fit_logistic, fit_expm1, fit_log, fit_log1p, fit_erf, fit_log_erfc)}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or FITS:
        if wanted not in FITS:
            sys.exit(__doc__)
        FITS[wanted]()
