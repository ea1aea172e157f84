"""Merkle trees, inclusion and consistency (chapter 10, "Merkle trees")."""

from .primitives import digest


def leaf(leaf_digest):
    return digest("merkle leaf", leaf_digest)


def node(left, right):
    return digest("merkle node", left + right)


def _split(n):
    """The largest power of two less than n."""
    return 1 << (n - 1).bit_length() - 1


def root(digests):
    if not digests:
        return digest("merkle empty", b"")
    if len(digests) == 1:
        return leaf(digests[0])
    k = _split(len(digests))
    return node(root(digests[:k]), root(digests[k:]))


def inclusion(m, digests):
    if len(digests) == 1:
        return []
    k = _split(len(digests))
    if m < k:
        return inclusion(m, digests[:k]) + [root(digests[k:])]
    return inclusion(m - k, digests[k:]) + [root(digests[:k])]


def consistency(m, digests):
    def subproof(m, digests, whole):
        if m == len(digests):
            return [] if whole else [root(digests)]
        k = _split(len(digests))
        if m <= k:
            return subproof(m, digests[:k], whole) + [root(digests[k:])]
        return subproof(m - k, digests[k:], False) + [root(digests[:k])]

    return [] if m in (0, len(digests)) else subproof(m, digests, True)


def verify_inclusion(expected, n, leaf_digest, m, path):
    if m >= n:
        return False
    fn, sn, r = m, n - 1, leaf(leaf_digest)
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == expected


def verify_consistency(m, first, n, second, path):
    empty = digest("merkle empty", b"")
    if m == n:
        return not path and first == second and (m > 0 or first == empty)
    if m == 0:
        return not path and first == empty
    if m > n:
        return False
    fn, sn, path = m - 1, n - 1, list(path)
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if m & (m - 1):
        if not path:
            return False
        fr = sr = path.pop(0)
    else:
        fr = sr = first
    for c in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first and sr == second
