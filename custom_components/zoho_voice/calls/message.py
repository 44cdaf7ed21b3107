"""What a text has to be, and the options that go along with it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import (
    ATTR_DATA_CODING,
    ATTR_SCHEDULED_TIME,
    ATTR_STATUS_CALLBACK,
    ATTR_TIME_ZONE,
    CONF_SENDER_ID,
)
from ..errors import validation_error
from ..zoho.models import MAX_MESSAGE_LENGTH, DataCoding, Sms
from .phone_number import mask_numbers

_AUTOMATIC = "automatic"
_DATA_CODINGS = {
    "english": DataCoding.ENGLISH,
    "binary": DataCoding.BINARY,
    "non_english": DataCoding.NON_ENGLISH,
}


def _validate_url(value: Any) -> str:
    """Validate a URL that JSON can hold: no half of an emoji."""
    url = cv.url(value)
    try:
        url.encode()
    except UnicodeEncodeError as err:
        raise vol.Invalid("invalid url") from err
    return url


#: The options of a text in `zoho_voice.send_sms` and in `data` of `notify.zoho_voice`.
OPTIONS_SCHEMA: dict[vol.Marker, Any] = {
    vol.Optional(CONF_SENDER_ID): cv.string,
    vol.Optional(ATTR_SCHEDULED_TIME): cv.datetime,
    vol.Optional(ATTR_TIME_ZONE): cv.string,
    vol.Optional(ATTR_DATA_CODING): vol.In([_AUTOMATIC, *_DATA_CODINGS]),
    vol.Optional(ATTR_STATUS_CALLBACK): _validate_url,
}


async def async_compose(
    hass: HomeAssistant,
    message: str,
    title: str | None = None,
    *,
    data_coding: str = _AUTOMATIC,
    scheduled_time: datetime | None = None,
    time_zone: str | None = None,
    status_callback: str | None = None,
) -> Sms:
    """Return the text that goes to Zoho: the title above the message, with options.

    `scheduled_time` is read in `time_zone` (IANA), or in Home Assistant's own, unless
    it carries a zone.

    Raises ServiceValidationError.
    """
    text = f"{title}\n{message}" if title else message
    if not text.isascii():
        # YAML reads "\ud83d\ude00" as two halves of an emoji, which no JSON may hold.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if not text.strip():
        raise validation_error("empty_message")
    if len(text) > MAX_MESSAGE_LENGTH:
        raise validation_error(
            "message_too_long", length=str(len(text)), maximum=str(MAX_MESSAGE_LENGTH)
        )
    sms = Sms(
        message=text,
        data_coding=_DATA_CODINGS.get(
            data_coding,
            DataCoding.ENGLISH if text.isascii() else DataCoding.NON_ENGLISH,
        ),
        status_callback=status_callback,
    )
    if scheduled_time is None:
        if time_zone is not None:
            raise validation_error("time_zone_without_time")
        return sms
    return await _async_schedule(hass, sms, scheduled_time, time_zone)


async def _async_schedule(
    hass: HomeAssistant, sms: Sms, scheduled_time: datetime, time_zone: str | None
) -> Sms:
    """Add the time at which Zoho is to send."""
    zone_name = time_zone or hass.config.time_zone
    try:
        zone = await dt_util.async_get_time_zone(zone_name)
    except OSError, ValueError:
        # It was looked for as a file, and its name is none, or that of another file.
        zone = None
    if zone is None:
        raise validation_error("unknown_time_zone", time_zone=mask_numbers(zone_name))
    if scheduled_time.tzinfo is None:
        scheduled_time = scheduled_time.replace(tzinfo=zone)
    written = scheduled_time.isoformat(" ", "seconds")
    try:
        moment = dt_util.as_utc(scheduled_time)
        wall_clock = moment.astimezone(zone)
    except OverflowError as err:  # in another zone, it is before year 1 or after 9999
        raise validation_error("time_out_of_range", time=written) from err
    if moment <= dt_util.utcnow():
        raise validation_error("time_in_past", time=written)
    if wall_clock.fold:
        # The clock shows this time twice that day, and Zoho would take the first.
        wall_clock, zone_name = moment, "UTC"
    return replace(sms, scheduled_time=wall_clock, time_zone=zone_name)
