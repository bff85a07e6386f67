"""A statistic of its own: how many entries each member made on which day."""

from comity.kernel.sharing.tally import counting

AUTHORS = counting(
    "authors", "How many entries each member made on which day", by=("member",), key="array[e.actor::text]"
)  # fmt: skip
