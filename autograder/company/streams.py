"""随机数：同一个种子，在任何机器、任何 numpy 版本上都得到同样的数。

Only parts of numpy whose streams are promised never to change are used: the raw output of PCG64, and
``RandomState`` (frozen by NEP 19). Every table and every block of customers has its own stream, named
by its place in one ``SeedSequence`` tree, so any part can be made alone, anywhere, in any order.
"""

import hashlib
import zlib

import numpy as np

COURSE_SEED = "苏畅-392"  # 随课程发布的那一份数据用的种子


class Stream:
    """One named stream of random numbers.

    Args:
        seed: any text; the same text gives the same company.
        name: what the stream is for, e.g. ``"waybills"``.
        block: which block of customers.
    """

    def __init__(self, seed: str, name: str, block: int = 0):
        entropy = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:16], "little")
        sequence = np.random.SeedSequence(entropy, spawn_key=(zlib.crc32(name.encode()), block))
        self._bits = np.random.PCG64(sequence)
        self._state = np.random.RandomState(self._bits)

    def uniform(self, size=None, low=0.0, high=1.0):
        return low + (high - low) * self._state.random_sample(size)

    def normal(self, size=None, mean=0.0, sd=1.0):
        return mean + sd * self._state.standard_normal(size)

    def gamma(self, shape, size=None):
        return self._state.standard_gamma(shape, size)

    def beta(self, a, b, size=None):
        x, y = self._state.standard_gamma(a, size), self._state.standard_gamma(b, size)
        return x / (x + y)

    def poisson(self, mean, size=None):
        return np.asarray(self._state.poisson(mean, size)).astype(np.int64)

    def binomial(self, n, p):
        return np.asarray(self._state.binomial(n, p)).astype(np.int64)

    def whole(self, low, high, size=None):
        """Whole numbers from low to high, both included."""
        return np.floor(self.uniform(size, low, high + 1)).astype(np.int64)

    def choice(self, weights, size):
        """Positions 0, 1, … drawn with the given weights (need not sum to 1)."""
        steps = np.cumsum(np.asarray(weights, float))
        return np.searchsorted(steps / steps[-1], self._state.random_sample(size), side="right")

    def pick(self, weights):
        """One position for each row of a table of weights (rows × choices)."""
        steps = np.cumsum(weights, axis=1)
        return (steps / steps[:, -1:] < self._state.random_sample(len(steps))[:, None]).sum(axis=1)

    def chance(self, p, size=None):
        """True with probability p (a number, or one for each place)."""
        p = np.asarray(p)
        return self._state.random_sample(p.shape if size is None else size) < p

    def order(self, n):
        """The numbers 0 … n−1 in random order."""
        return np.argsort(self._state.random_sample(n), kind="stable")

    def bits16(self, rows, columns):
        """Array rows × columns (a multiple of 4) of uniform 16-bit whole numbers, the fastest there is."""
        raw = self._bits.random_raw(rows * columns // 4).astype("<u8", copy=False)
        return raw.view("<u2").reshape(columns, rows)


def quantiles(function, bits=12):
    """A distribution as a table: entry k is its quantile at (k + ½) / 2**bits."""
    n = 1 << bits
    return np.rint(function((np.arange(n) + 0.5) / n)).astype(np.int32)


def normal_quantile(u):
    """Quantile of the standard normal distribution (Acklam's rational approximation, error < 1.2e−9)."""
    u = np.asarray(u, float)
    a = (
        -39.69683028665376,
        220.9460984245205,
        -275.9285104469687,
        138.357751867269,
        -30.66479806614716,
        2.506628277459239,
    )
    b = (
        -54.47609879822406,
        161.5858368580409,
        -155.6989798598866,
        66.80131188771972,
        -13.28068155288572,
        1.0,
    )
    c = (
        -0.007784894002430293,
        -0.3223964580411365,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    )
    d = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1.0)
    tail = np.minimum(u, 1 - u)
    q = np.sqrt(-2 * np.log(np.maximum(tail, 1e-300)))
    outer = np.polyval(c, q) / np.polyval(d, q)
    r = (u - 0.5) ** 2
    inner = (u - 0.5) * np.polyval(a, r) / np.polyval(b, r)
    return np.where(tail < 0.02425, np.where(u < 0.5, outer, -outer), inner)
