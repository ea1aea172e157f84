"""The group of RFC 9496, section 4, on extended Edwards coordinates (chapter 3 names it for suite 3)."""

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _ratio(u, v):
    """SQRT_RATIO_M1: whether u/v is a square, and the non-negative root of u/v or of SQRT_M1 * u/v."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P) % P, (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1 % P
    return check in (u % P, -u % P), _abs(r)


def _abs(x):
    return P - x if x & 1 else x


INVSQRT_A_MINUS_D = _ratio(1, (-1 - D) % P)[1]
IDENTITY = (0, 1, 1, 0)


def decode(data):
    """The point of section 4.3.1, or None."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or s & 1:
        return None
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, inverse = _ratio(1, v * u2 * u2 % P)
    den_x = inverse * u2 % P
    x = _abs(2 * s * den_x % P)
    y = u1 * inverse * den_x * v % P
    t = x * y % P
    if not square or t & 1 or y == 0:
        return None
    return (x, y, 1, t)


def encode(point):
    """The 32 bytes of section 4.3.2."""
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y) % P, x * y % P
    _, inverse = _ratio(1, u1 * u2 * u2 % P)
    den1, den2 = inverse * u1 % P, inverse * u2 % P
    z_inverse = den1 * den2 * t % P
    if t * z_inverse % P & 1:
        x, y, den2 = y * SQRT_M1 % P, x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    if x * z_inverse % P & 1:
        y = -y
    return _abs(den2 * (z - y) % P).to_bytes(32, "little")


def add(p, q):
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def double(p):
    x, y, z, _ = p
    a, b, c = x * x % P, y * y % P, 2 * z * z % P
    h = a + b
    e = h - (x + y) ** 2 % P
    g = a - b
    f = c + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(point, scalar):
    """[scalar]point, by windows of four bits."""
    table = [IDENTITY, point]
    for _ in range(14):
        table.append(add(table[-1], point))
    out = IDENTITY
    for shift in range(252, -4, -4):
        for _ in range(4):
            out = double(out)
        window = scalar >> shift & 15
        if window:
            out = add(out, table[window])
    return out


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))
