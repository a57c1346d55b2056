"""Readable names for runs that were given none."""

import os

_ADJECTIVES = (
    "able amber apt azure bold brave brief bright brisk calm clear clever cool coral"
    " crisp deep eager early easy fair fast fine firm fond fresh gentle glad golden good"
    " grand green happy hardy jade jolly keen kind lemon light lively loyal lucid lucky"
    " mellow merry mild neat nimble noble olive open plain proud pure quick quiet rapid"
    " ready rosy royal ruby sage sharp silver smart smooth snowy solid spry steady still"
    " sunny sure sweet swift tidy true vivid warm wise witty young"
).split()
_NOUNS = (
    "acorn ash aspen badger bay bear beech birch bison brook canyon cedar cliff cloud"
    " clover comet crane creek dale dawn delta dove dune eagle elk elm ember falcon fern"
    " field finch fjord forest fox gale glade grove gull harbor hare hawk hazel heron hill"
    " holly island ivy jay juniper lake lark leaf linden lotus lynx maple marsh meadow"
    " mesa moon moss oak orca otter owl pebble pine plum pond poplar quail rain raven reed"
    " reef ridge river robin rowan sparrow spruce star stone swan thistle tiger trail"
    " valley wave willow wolf wren"
).split()


def generate_name() -> str:
    """A name such as `swift-elk-417`; a random one, so that no run waits for another.

    Draws from its own generator: a seed that the caller set stays as it was.
    """
    drawn = int.from_bytes(os.urandom(8))  # module random is slow to import
    drawn, adjective = divmod(drawn, len(_ADJECTIVES))
    drawn, noun = divmod(drawn, len(_NOUNS))
    return f"{_ADJECTIVES[adjective]}-{_NOUNS[noun]}-{drawn % 999 + 1}"
