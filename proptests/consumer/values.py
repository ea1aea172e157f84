"""Forms of the types of attributes; decimals and moments and how they compare (chapter 7, "Types" and "Contracts")."""

import re
from dataclasses import dataclass

_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_CODE = re.compile(r"[^\x00-\x20]+(?:[\t\n\r ][^\x00-\x20]+)*")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
DAY = 86_400 * 10**9
SLACK = 14 * 3600 * 10**9


def is_decimal(text):
    match = _DECIMAL.fullmatch(text)
    return bool(match) and len(text) <= 1024 and len(match[5] or "") <= 9


def is_integer(text):
    return bool(_INTEGER.fullmatch(text)) and len(text) <= 11 and -(2**31) <= int(text) < 2**31


def is_string(text):
    return text != "" and all(c >= " " or c in "\t\n\r" for c in text)


def is_code(text):
    return bool(_CODE.fullmatch(text))


def is_uri(text):
    return text != "" and all(c > " " for c in text)


def is_name(text):
    return 1 <= len(text) <= 64 and all("\x21" <= c <= "\x7e" for c in text)


@dataclass
class Moment:
    """A span of nanoseconds of UTC since 1970, `end` not belonging to it."""

    start: int
    end: int
    zoned: bool


def _days(year, month, day):
    """Days from 1970-01-01 in the Gregorian calendar; year may be 10000."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _month_length(year, month):
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return _days(*following, 1) - _days(year, month, 1)


def _valid_day(year, month, day):
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= _month_length(year, month)


def parse_date(text):
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    if not _valid_day(year, month or 1, day or 1):
        return None
    first = _days(year, month or 1, day or 1)
    if month is None:
        length = _days(year + 1, 1, 1) - first
    elif day is None:
        length = _month_length(year, month)
    else:
        length = 1
    return Moment(first * DAY, (first + length) * DAY, False)


def parse_instant(text):
    match = _INSTANT.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, zone_hour, zone_minute = match.groups()[6:]
    zone = int(zone_hour or 0) * 60 + int(zone_minute or 0)
    if not _valid_day(year, month, day) or hour > 23 or minute > 59 or second > 60:
        return None
    if zone > 14 * 60 or int(zone_minute or 0) > 59:
        return None
    minutes = hour * 60 + minute - (-zone if sign == "-" else zone)
    digits = (fraction or "")[:9]
    start = _days(year, month, day) * DAY + (minutes * 60 + second) * 10**9 + int(digits.ljust(9, "0"))
    return Moment(start, start + 10 ** (9 - len(digits)), True)


def parse_moment(text):
    return parse_date(text) or parse_instant(text)


def is_after(moment, milliseconds):
    return moment.start - (0 if moment.zoned else SLACK) > milliseconds * 10**6


def is_wholly_after(moment, other):
    return moment.start - (SLACK if moment.zoned != other.zoned else 0) >= other.end


def _parts(text):
    """(sign, exponent, digits) with the value sign * 0.digits * 10^exponent."""
    sign, whole, fraction, exponent_sign, exponent = _DECIMAL.fullmatch(text).groups()
    digits = whole + (fraction or "")
    significant = digits.lstrip("0")
    if not significant:
        return 0, 0, ""
    shift = int(exponent or 0) * (-1 if exponent_sign == "-" else 1)
    power = len(whole) - (len(digits) - len(significant)) + shift
    return -1 if sign else 1, power, significant.rstrip("0")


def compare_decimals(a, b):
    """Negative, zero or positive as the literal a is less than, equal to or greater than b."""
    (sign_a, *size_a), (sign_b, *size_b) = _parts(a), _parts(b)
    if sign_a != sign_b:
        return sign_a - sign_b
    return sign_a * ((size_a > size_b) - (size_a < size_b))
