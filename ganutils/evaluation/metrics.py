"""How near two sets of features are, or pictures to what they should be: one metric, one function. In float64.

Each has its formula and paper. Features are arrays [N, F], a row per sample; `real` and `fake` have the same F.
Pictures are uint8 [N, H, W, C]. All works in blocks, of distances between all pairs or of pictures, so that memory is
bounded whatever N is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import scipy.linalg
import scipy.ndimage
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
NUMBERS = 1 << 20  # in a block of pictures
WINDOW, SIGMA, TRUNCATE = 11, 1.5, 3.5  # side and deviation of the Gaussian window of SSIM, and where it is cut off
STEADY = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # C1 and C2, which keep SSIM steady where pictures are dark or flat


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


def jensen_shannon(x: np.ndarray, y: np.ndarray) -> float:
    """The Jensen-Shannon divergence between two distributions over the same things, given as counts, in bits: 0..1.

    1 if one of them has none.
    """
    if not x.any() or not y.any():
        return 1.0
    p, q = x / x.sum(), y / y.sum()
    middle = (p + q) / 2
    both = scipy.special.rel_entr(p, middle).sum() + scipy.special.rel_entr(q, middle).sum()
    return float(both / 2 / np.log(2))


def nearest_modes(points: np.ndarray, centers: np.ndarray, reach: float) -> np.ndarray:
    """Which of `centers` [M, D] each of `points` [N, D] lies within `reach` of, or -1: int64 [N]."""
    squares, which = nearest(points, centers)
    return np.where(squares <= reach**2, which, -1)


# ------------------------------------------------------- pictures against those that they should be, row by row


def in_blocks(measure: Callable[..., np.ndarray], *sets: np.ndarray) -> np.ndarray:
    """What `measure` makes of each row of `sets` of pictures [N, ...], as float64, a few at a time: [N]."""
    size = max(1, NUMBERS // sets[0][0].size)
    blocks = (
        [each[start : start + size].astype(np.float64) for each in sets] for start in range(0, len(sets[0]), size)
    )
    return np.concatenate([measure(*block) for block in blocks])


def per_picture(values: np.ndarray) -> np.ndarray:
    """The mean over each picture: [N, H, W, C] -> [N]."""
    return values.reshape(len(values), -1).mean(axis=1)


def l1(x: np.ndarray, y: np.ndarray) -> float:
    """Mean absolute difference, with pixels in 0..1."""
    return float(in_blocks(lambda a, b: per_picture(abs(a - b)), x, y).mean()) / 255


def psnr(x: np.ndarray, y: np.ndarray) -> float:
    """10 log10(255^2 / mean squared difference) of each picture, in dB, mean over pictures; infinite if all are equal.

    A single picture without any difference counts as if one number of it were off by one, lest it hide all others.
    """
    errors = in_blocks(lambda a, b: per_picture((a - b) ** 2), x, y)
    if not errors.any():
        return float("inf")
    return float((10 * np.log10(255**2 / np.maximum(errors, 1 / x[0].size))).mean())


def ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Structural similarity: mean over the windows that lie inside, over channels and pictures (Wang et al. 2004).

    Equation 13 with the paper's Gaussian window of 11x11. Where a side is shorter, windows reach over the border, in
    which the picture is mirrored.
    """
    return float(in_blocks(_ssim, x, y).mean())


def _ssim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float64 [B, H, W, C] in 0..255 -> [B]."""
    blurred = functools.partial(scipy.ndimage.gaussian_filter, sigma=SIGMA, truncate=TRUNCATE, axes=(1, 2))
    mean_x, mean_y = blurred(x), blurred(y)
    variance_x, variance_y = blurred(x * x) - mean_x * mean_x, blurred(y * y) - mean_y * mean_y
    covariance = blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + STEADY[0]) / (mean_x * mean_x + mean_y * mean_y + STEADY[0])
    structure = (2 * covariance + STEADY[1]) / (variance_x + variance_y + STEADY[1])
    rows, columns = (slice(WINDOW // 2, n - WINDOW // 2) if n >= WINDOW else slice(n) for n in x.shape[1:3])
    return per_picture((luminance * structure)[:, rows, columns])


def feature_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """|r/|r| - f/|f||^2 of the features r and f of each row, mean over rows: 0 if alike, 2 if nothing is in common.

    Each vector is scaled to length 1 before they are compared, as LPIPS does at each point of a map (Zhang et al. 2018,
    section 3, equation 1); here a picture has one vector, that of the extractor, and no weights are learned.
    """
    starts = range(0, len(real), BLOCK)
    parts = [[_scaled(features[start : start + BLOCK]) for features in (real, fake)] for start in starts]
    return float(np.concatenate([((r - f) ** 2).sum(axis=1) for r, f in parts]).mean())


def _scaled(features: np.ndarray) -> np.ndarray:
    """Each row in float64 and of length 1; one of zeros stays as it is."""
    features = features.astype(np.float64)
    return features / (np.linalg.norm(features, axis=1, keepdims=True) + 1e-10)


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation of the brightness of two pictures, median over pictures that are not of a single gray; NaN
    if there are none. -1 is a negative.
    """
    each = in_blocks(_correlation, x, y)
    return float(np.median(each[~np.isnan(each)])) if not np.isnan(each).all() else float("nan")


def _correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float64 [B, H, W, C] -> [B]."""
    a, b = (each.mean(axis=3).reshape(len(each), -1) for each in (x, y))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.where(lengths > 0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1), np.nan)


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """Pictures uint8 [N, H, W, C] after a Gaussian blur of deviation `sigma`, in pixels."""
    blurred = np.empty_like(images)
    for at, image in enumerate(images):
        blurred[at] = scipy.ndimage.gaussian_filter(image.astype(np.float64), sigma, axes=(0, 1)).round()
    return blurred


def gradient(images: np.ndarray) -> float:
    """Mean absolute difference of neighbors, down and to the right."""
    steps = in_blocks(lambda x: sum(abs(np.diff(x, axis=axis)).sum(axis=(1, 2, 3)) for axis in (1, 2)), images)
    h, w, c = images.shape[1:]
    return float(steps.mean()) / max(c * (h * (w - 1) + w * (h - 1)), 1)


def saturation(images: np.ndarray) -> float:
    """Mean difference of the largest channel and the smallest: how colorful pictures are, 0 if they are gray."""
    return float(in_blocks(lambda x: per_picture(np.ptp(x, axis=3)), images).mean())


def kept(found: np.ndarray, true: np.ndarray, exclusive: bool, known: np.ndarray | bool = True) -> np.ndarray:
    """How well each of A attributes can be `found` where it is `true`, bool [N, A]: float [A]; NaN if no row tells.

    Balanced accuracy: the mean of two shares, of the rows that have it, and of those that do not, how many are right.
    So who finds nothing has 1/2, however rare it is. If they are `exclusive` classes it is the former share alone.
    Only what is `known`, bool [N, A], counts.
    """
    has, lacks = (_share(right, among & known) for right, among in ((found, true), (~found, ~true)))
    return has if exclusive else np.where(np.isnan(has), lacks, np.where(np.isnan(lacks), has, (has + lacks) / 2))


def _share(right: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Of the rows in `among`, how many are `right`, by column; NaN where there are none."""
    counts = among.sum(axis=0)
    return np.where(counts > 0, (right & among).sum(axis=0) / np.maximum(counts, 1), np.nan)
