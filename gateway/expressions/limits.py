"""How much an expression may ask for. Whoever writes a connector is not trusted with the gateway's memory and time."""

MAX_SOURCE_CHARACTERS = 2_048
"""The longest expression."""
MAX_DEPTH = 32
"""How deeply its parts may nest; a pipe nests too."""
MAX_GROWTH = 10_000
"""How many times over an expression may repeat its input: multi-selects that feed one another multiply."""
MAX_TEXT_CHARACTERS = 1024 * 1024
"""The longest text that an expression or a template may make."""
MAX_WORK = 4_000_000
"""How many items the lists that one evaluation makes, or passes to functions, may hold in all. A page has a million at most."""
CHARACTERS_OF_AN_ITEM = 16
"""How many characters of a text count as one such item."""
MAX_NUMBER_BITS = 1_024
"""The largest numbers that arithmetic takes; without it a chain of multiplications fills the memory."""
MAX_RESULT_BITS = 14_284
"""The largest integers that a function gives: those of up to 4,300 digits, as Python writes no longer ones."""
MAX_VALUE_DEPTH = 200
"""How deeply a value may nest that an expression reads out of a text; as deeply as an app's answer."""
MAX_TEMPLATE_DEPTH = 32
"""How deeply mappings and lists may nest in a template."""
