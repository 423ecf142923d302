"""When a channel's id is refused. Source: F3, F15"""

from shared.errors import Conflict


class ChannelTransactionReused(Conflict):
    """The channel's id paid another receipt of this branch."""

    code = "channel_transaction_reused"
    cure = "Look at the receipt that the sentence names: it was paid by this; send the id that paid this receipt."
