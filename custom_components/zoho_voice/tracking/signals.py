"""What entities and triggers hear of: signals of Home Assistant's dispatcher.

Each comes with the id of the account's entry first.
"""

from homeassistant.util.signal_type import SignalType

from ..const import DOMAIN
from ..sending.outbox import Message
from .tracker import IncomingSms, TrackedSms

#: An SMS is queued at Zoho, or came into another state.
SIGNAL_DELIVERY: SignalType[str, TrackedSms] = SignalType(f"{DOMAIN}_delivery")
#: Somebody wrote.
SIGNAL_INCOMING: SignalType[str, IncomingSms] = SignalType(f"{DOMAIN}_incoming")
#: An SMS that waited has ended without having been sent for certain.
SIGNAL_GAVE_UP: SignalType[str, Message] = SignalType(f"{DOMAIN}_gave_up")
