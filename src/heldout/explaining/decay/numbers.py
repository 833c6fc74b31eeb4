"""Numbers of weight decay as words and as LaTeX."""


def shown(value: float | None, digits: int = 6) -> str:
    """A number with the digits that matter; a dash for none.

    Example:
        >>> shown(0.909090909), shown(-0.0), shown(1e-7), shown(2.78976, 3), shown(None)
        ('0.909091', '0', '1e-07', '2.79', '-')
    """
    return "-" if value is None else f"{value + 0.0:.{digits}g}"


def counted(n_steps: float | None) -> str:
    """A number of steps, whole or not, as words.

    Example:
        >>> counted(2.789), counted(1386.4), counted(1.0)
        ('2.79 steps', '1,386 steps', '1 step')
    """
    told = shown(n_steps, 3) if n_steps is None or not 1000 <= n_steps < 1e9 else f"{n_steps:,.0f}"
    return f"{told} step{'' if told == '1' else 's'}"


def tex(value: float) -> str:
    r"""A number as mathematics: 1e-07 becomes a power of ten.

    Example:
        >>> tex(0.5), tex(1e-7)
        ('0.5', '1 \\cdot 10^{-7}')
    """
    text = shown(value)
    if "e" not in text:
        return text
    digits, power = text.split("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}"
