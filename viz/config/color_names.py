"""Which texts are colours, told without importing matplotlib."""

import re

_CSS_TEXT = """
    aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue
    blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue
    cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey
    darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon
    darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet
    deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen
    fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew
    hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon
    lightblue lightcoral lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey
    lightpink lightsalmon lightseagreen lightskyblue lightslategray lightslategrey
    lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine
    mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue
    mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream mistyrose
    moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid
    palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink
    plum powderblue purple rebeccapurple red rosybrown royalblue saddlebrown salmon
    sandybrown seagreen seashell sienna silver skyblue slateblue slategray slategrey
    snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white
    whitesmoke yellow yellowgreen
"""
_CSS_NAMES = frozenset(_CSS_TEXT.split())
_TABLEAU = (
    "tab:(blue|orange|green|red|purple|brown|pink|gr[ae]y|olive|cyan)"  # matplotlib's
)
_HEXADECIMAL = "#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})"
_GREY_LEVEL = r"0?\.[0-9]+|[01](\.0*)?"
_OTHER = re.compile(f"{_TABLEAU}|{_HEXADECIMAL}|{_GREY_LEVEL}|[bgrcmykw]|c[0-9]", re.I)


def is_color(text: object) -> bool:
    """Whether matplotlib takes *text* as a colour.

    Known are the CSS names, "tab:" names, one-letter names, "C0" to "C9", hexadecimal
    colours and grey levels such as "0.5". Only "xkcd:" names ask matplotlib itself.
    """
    if not isinstance(text, str):
        return False
    if text.lower().startswith("xkcd:"):
        from matplotlib.colors import is_color_like  # noqa: PLC0415

        return is_color_like(text)
    return text.lower() in _CSS_NAMES or _OTHER.fullmatch(text) is not None
