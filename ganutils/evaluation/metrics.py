"""How near two sets of features are: one metric, one function, each with its formula and paper. In float64.

Features are arrays [N, F], a row per sample; `real` and `fake` have the same F. Distances between all pairs are
computed in blocks, so that memory is bounded whatever N is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.linalg
import scipy.special
import scipy.stats

from ganutils.evaluation import products
from ganutils.randomness import stream

NEAREST_PRECISION = 3  # k of precision and recall (Kynkäänniemi et al. 2019, section 3)
NEAREST_DENSITY = 5  # k of density and coverage (Naeem et al. 2020, section 3)
LEAST = NEAREST_DENSITY + 1  # samples a set must have for all of these
COVERED = 0.1  # a mode is covered if it has this part of its real share: one stray sample is not a mode
ROUNDING = 1e-12  # relative; what is smaller comes from float64, and is 0
BLOCK = 1024  # rows of a block of distances


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """|m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)) of means m and covariances S (Heusel et al. 2017, section 2).

    With S = R' R the trace of the root is the sum of the singular values of R1 R2': no root of an asymmetric matrix, no
    imaginary parts, and none of the rounding errors that a root makes of eigenvalues near 0.
    """
    (mean_1, root_1, trace_1), (mean_2, root_2, trace_2) = mean_and_root(real), mean_and_root(fake)
    cross = scipy.linalg.svdvals(root_1 @ root_2.T).sum()
    distance = float(((mean_1 - mean_2) ** 2).sum() + trace_1 + trace_2 - 2 * cross)
    return distance if distance > ROUNDING * len(mean_1) * (trace_1 + trace_2) else 0.0


def mean_and_root(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean [F], a root R [F, F] of the covariance S = R' R, and its trace."""
    covariance = np.atleast_2d(np.cov(features, rowvar=False, dtype=np.float64))
    values, vectors = scipy.linalg.eigh(covariance)
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    return features.mean(axis=0, dtype=np.float64), root, float(np.trace(covariance))


def spread(real: np.ndarray, fake: np.ndarray) -> float:
    """Root of Tr S_fake / Tr S_real: 1 if the fakes vary as much as the real samples, 0 if they are all the same."""
    fake_trace, real_trace = (float(features.var(axis=0, dtype=np.float64).sum()) for features in (fake, real))
    return float(np.sqrt(fake_trace / real_trace)) if real_trace else float("nan")


def kernel_distance(
    real: np.ndarray, fake: np.ndarray, seed: int, subsets: int = 50, size: int | None = None
) -> tuple[float, float]:
    """KID: squared MMD with the kernel (x'y / F + 1)^3, mean and deviation over subsets (Binkowski et al. 2018).

    The estimate on a subset is the U-statistic of Gretton et al. 2012 (section 2.2, for equal sizes), which is unbiased
    and exactly 0 between a set and itself. For sets that are alike it is as likely below 0 as above.

    size    of the subsets; None = 1,000 as in the paper, or half the smaller set
    """
    size = size or min(1000, len(real) // 2, len(fake) // 2)
    estimates = []
    for number in range(subsets):
        x, y = (
            part[stream(seed, "kid", number).permutation(len(part))[:size]].astype(np.float64) for part in (real, fake)
        )
        kernels = cubic(x, x), cubic(y, y), cubic(x, y)
        xx, yy, xy = (k.sum() - np.trace(k) for k in kernels)
        estimate = (xx + yy - 2 * xy) / (size * (size - 1))
        largest = max(np.trace(k) for k in kernels[:2]) / size  # the scale at which the sums above were rounded
        estimates.append(estimate if abs(estimate) > ROUNDING * largest else 0.0)
    return float(np.mean(estimates)), float(np.std(estimates))


def cubic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The kernel (x'y / F + 1)^3 of all pairs, [N, M]."""
    k = products.with_rows_of(y)(x) / x.shape[1] + 1
    return np.multiply(k * k, k, out=k)  # far faster than k**3


# ------------------------------------------------------------------------------------------ neighbors


def squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """|x - y|^2 of all pairs, by blocks of rows of `x`: which rows, and float64 [rows, M].

    Both are moved to y's mean first: far from the origin the squares would lose the digits in which neighbors differ.
    """
    center = y.mean(axis=0, dtype=np.float64)
    y = y - center
    lengths = np.einsum("mf,mf->m", y, y)
    times_y = products.with_rows_of(y)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        block = x[rows] - center
        block_lengths = np.einsum("nf,nf->n", block, block)[:, None]
        squares = times_y(block)
        squares *= -2  # in place: nearly all the time goes into these blocks
        squares += block_lengths
        squares += lengths
        squares[squares < 2e-13 * block_lengths] = 0  # equal rows are at distance 0, not at a rounding error
        yield rows, squares


def radii(features: np.ndarray, *ks: int) -> list[np.ndarray]:
    """Squared distance of each row to its k-th nearest other row, [N], for each of `ks`."""
    distances = np.empty((len(ks), len(features)))
    for rows, squares in squared_distances(features, features):
        squares.partition(max(ks), axis=1)
        nearest = np.sort(squares[:, : max(ks) + 1], axis=1)  # number 0 is the row itself
        distances[:, rows] = nearest[:, ks].T
    return list(distances)


def precision(real: np.ndarray, fake: np.ndarray, real_radii: np.ndarray) -> float:
    """Share of fakes within the k-th neighbor's distance of a real sample (Kynkäänniemi et al. 2019, equations 1, 2).

    Recall is the same with real and fake swapped.
    """
    return float(within(real, fake, real_radii).mean())


def within(real: np.ndarray, fake: np.ndarray, real_radii: np.ndarray) -> np.ndarray:
    """Which fakes those are: bool [fakes]."""
    return np.concatenate([(squares <= real_radii).any(axis=1) for _, squares in squared_distances(fake, real)])


def density(real: np.ndarray, fake: np.ndarray, real_radii: np.ndarray, k: int = NEAREST_DENSITY) -> float:
    """How many real neighborhoods a fake lies in, over k (Naeem et al. 2020, equation 3); 1 if the sets are alike.

    Strictly inside, as in the authors' code, by more than rounding: so it is exactly 1 between a set and itself, if
    no two neighbors of a sample are equally far.
    """
    inside = real_radii[:, None] * (1 - 1e-9)
    counts = [(squares < inside[rows]).sum() for rows, squares in squared_distances(real, fake)]
    return float(sum(counts) / (k * len(fake)))


def coverage(real: np.ndarray, fake: np.ndarray, real_radii: np.ndarray) -> float:
    """Share of real neighborhoods with a fake in them (Naeem et al. 2020, equation 4)."""
    return float((nearest(real, fake)[0] <= real_radii).mean())


def nearest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of `x`, the squared distance to the nearest row of `y`, and which that is: [N], [N]."""
    distances, which = np.empty(len(x)), np.empty(len(x), np.int64)
    for rows, squares in squared_distances(x, y):
        which[rows] = squares.argmin(axis=1)
        distances[rows] = np.take_along_axis(squares, which[rows][:, None], axis=1)[:, 0]
    return distances, which


def authenticity(distances: np.ndarray, which: np.ndarray, real_radii: np.ndarray) -> float:
    """Share of fakes farther from the nearest real sample than that is from its own (Alaa et al. 2022, section 3).

    distances, which    `nearest(fake, real)`
    real_radii          of `radii(real, 1)`
    A generator that memorized its data is near 0; fresh real samples have about half.
    """
    return float((distances > real_radii[which]).mean())


# ---------------------------------------------------------------------------------------- one dimension


def sliced_wasserstein(real: np.ndarray, fake: np.ndarray, seed: int, directions: int = 128) -> float:
    """Wasserstein distance (W1) of the projections on a random line, mean over lines (Rabin et al. 2011, section 3)."""
    lines = stream(seed, "lines").standard_normal((real.shape[1], directions))
    lines /= np.linalg.norm(lines, axis=0)
    x, y = project(real, lines), project(fake, lines)
    pairs = zip(x.T, y.T, strict=True)
    return float(np.mean([scipy.stats.wasserstein_distance(a, b) for a, b in pairs]))


def project(features: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """`features` [N, F] on `lines` [F, L], in blocks, so that bytes need not all become float64 at once."""
    starts, times_lines = range(0, len(features), BLOCK), products.with_rows_of(lines.T)
    return np.concatenate([times_lines(features[start : start + BLOCK].astype(np.float64)) for start in starts])


def kolmogorov_smirnov(points: np.ndarray, mean: float, std: float) -> float:
    """Largest difference between the distribution function of `points` [N] and that of N(mean, std)."""
    return float(scipy.stats.kstest(points, "norm", (mean, std)).statistic)


def wasserstein_to_normal(points: np.ndarray, mean: float, std: float) -> float:
    """W1 between `points` [N] and N(mean, std), exactly: the integral of |x(u) - q(u)| over quantiles u.

    On the part [a, b] of u that belongs to a point x, the quantile function q passes x at c = F(x), and the integral
    of q is mean u - std f(q(u)) with the standard normal density f.
    """
    x = np.sort(points).astype(np.float64)
    edges = np.linspace(0, 1, len(x) + 1)
    a, b = edges[:-1], edges[1:]
    c = np.clip(scipy.special.ndtr((x - mean) / std), a, b)

    def integral(u: np.ndarray) -> np.ndarray:
        return mean * u - std * np.exp(-0.5 * scipy.special.ndtri(u) ** 2) / np.sqrt(2 * np.pi)

    parts = x * (c - a) - (integral(c) - integral(a)) + (integral(b) - integral(c)) - x * (b - c)
    return float(parts.sum())


# ----------------------------------------------------------------------------------------------- modes


def shares(modes: np.ndarray, count: int) -> np.ndarray:
    """How often each of `count` modes occurs in `modes` [N], as shares of N; -1 is no mode."""
    return np.bincount(modes[modes >= 0], minlength=count) / max(len(modes), 1)


def covered(real_shares: np.ndarray, fake_shares: np.ndarray) -> np.ndarray:
    """Whether each mode has at least COVERED of its real share, bool [modes]."""
    return fake_shares >= np.maximum(COVERED * real_shares, np.finfo(float).tiny)


def kullback_leibler(fake_shares: np.ndarray, real_shares: np.ndarray) -> float:
    """KL(fake | real) over the modes, in nats (as Lin et al. 2018, PacGAN): finite where a mode is missing.

    Both are scaled to sum to 1; modes that the real samples lack are left out.
    """
    known = real_shares > 0
    q, p = fake_shares[known], real_shares[known]
    if not q.any():
        return float("inf")
    return float(scipy.special.rel_entr(q / q.sum(), p / p.sum()).sum())


def nearest_modes(points: np.ndarray, centers: np.ndarray, reach: float) -> np.ndarray:
    """Which of `centers` [M, D] each of `points` [N, D] lies within `reach` of, or -1: int64 [N]."""
    squares, which = nearest(points, centers)
    return np.where(squares <= reach**2, which, -1)
