"""Constants of the Zoho Voice integration."""

from typing import Final

DOMAIN: Final = "zoho_voice"

CONF_ACCOUNTS_URL: Final = "accounts_url"
CONF_AUTH_IMPLEMENTATION: Final = "auth_implementation"
CONF_FLOOD_LIMIT: Final = "flood_limit"
CONF_FLOOD_MINUTES: Final = "flood_minutes"
CONF_INCOMING_INTERVAL: Final = "incoming_interval"
CONF_KEEP_TRYING: Final = "keep_trying"
CONF_DATA_CENTER: Final = "data_center"
CONF_PHONE_NUMBERS: Final = "phone_numbers"
CONF_QUIET_ACTION: Final = "quiet_action"
CONF_QUIET_FROM: Final = "quiet_from"
CONF_QUIET_UNTIL: Final = "quiet_until"
CONF_REPEAT_SECONDS: Final = "repeat_seconds"
CONF_SEGMENTS_PER_DAY: Final = "segments_per_day"
CONF_SEGMENTS_PER_HOUR: Final = "segments_per_hour"
CONF_SENDER_ID: Final = "sender_id"
CONF_SHOW_TEXT: Final = "show_text"
CONF_TEST_NUMBER: Final = "test_number"
CONF_VOICE_URL: Final = "voice_url"

#: How often to ask for incoming SMS, unless an account says otherwise (seconds).
DEFAULT_INCOMING_INTERVAL: Final = 60

#: The data center whose servers the person types in.
DATA_CENTER_OTHER: Final = "other"

#: What becomes of a message in quiet hours.
QUIET_REFUSE: Final = "refuse"
QUIET_WAIT: Final = "wait"

SUBENTRY_TYPE_RECIPIENT: Final = "recipient"

ATTR_CHOICES: Final = "choices"
ATTR_DATA_CODING: Final = "data_coding"
ATTR_DRY_RUN: Final = "dry_run"
ATTR_KEEP_TRYING: Final = "keep_trying"
ATTR_KEEP_TRYING_FOR: Final = "keep_trying_for"
ATTR_MESSAGE_ID: Final = "message_id"
ATTR_PRIORITY: Final = "priority"
ATTR_RECIPIENT: Final = "recipient"
ATTR_RECIPIENTS: Final = "recipients"
ATTR_SCHEDULED_TIME: Final = "scheduled_time"
ATTR_STATUS_CALLBACK: Final = "status_callback"
ATTR_TIMEOUT: Final = "timeout"
ATTR_TIME_ZONE: Final = "time_zone"
ATTR_WAIT_FOR_DELIVERY: Final = "wait_for_delivery"
