"""The data center of an account."""

from collections.abc import Mapping
from typing import Any

from ..const import (
    CONF_ACCOUNTS_URL,
    CONF_DATA_CENTER,
    CONF_VOICE_URL,
    DATA_CENTER_OTHER,
)
from ..zoho.data_center import DATA_CENTERS, DataCenter


def data_center_of(data: Mapping[str, Any]) -> DataCenter:
    """Return the data center of an entry's data."""
    if data[CONF_DATA_CENTER] == DATA_CENTER_OTHER:
        return DataCenter(data[CONF_ACCOUNTS_URL], data[CONF_VOICE_URL])
    return DATA_CENTERS[data[CONF_DATA_CENTER]]
