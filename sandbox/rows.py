"""Rows and receipts, in the form in which Zoho Voice answers them."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from . import phone_numbers
from .models import Account, Direction, LoggedSms, ScheduledSms
from .segments import count_segments
from .sms_request import SmsRequest

IN_QUEUE = "IN_QUEUE"


def receipt(
    sms: SmsRequest,
    log_id: str,
    described: tuple[str, str],
    account: Account,
    submitted_at: float,
    *,
    zone: tzinfo,
) -> dict[str, Any]:
    """Return what the send endpoint answers for one log ID."""
    notation, country = described
    return {
        "multipartCount": count_segments(sms.message, sms.data_coding),
        "country": country,
        "submittedTime": int(submitted_at * 1000),
        "customerNumber": notation,
        "message": sms.message,
        "userName": account.first_name,
        "customerName": notation,
        "senderId": phone_numbers.describe_sender(sms.sender_id)[0],
        "messageType": Direction.OUTGOING,
        "sentTime": _sent_time(submitted_at, zone),
        "logid": log_id,
        "email": account.email,
        "status": IN_QUEUE,
    }


def log_row(sms: LoggedSms, zone: tzinfo) -> dict[str, Any]:
    """Return a row of the message log; only what was sent has a status."""
    notation, country = phone_numbers.describe(sms.number)
    row: dict[str, Any] = {
        "country": country,
        "multipartCount": sms.segments,
        "submittedTime": int(sms.submitted_at * 1000),
        "sentTime": _sent_time(sms.submitted_at, zone),
        "isBlocked": False,
        "emailId": sms.account.email,
        "customerNumber": notation,
        "message": sms.message,
        "userName": sms.account.first_name,
        "customerName": notation,
        "zuid": sms.account.zuid_in_json,
        "senderId": phone_numbers.describe_sender(sms.sender_id)[0],
        "messageType": sms.direction,
        "isMMS": False,
        "mmsMeta": [],
        "logid": sms.log_id,
    }
    if sms.status is not None:
        row["status"] = sms.status
    if sms.description is not None:
        row["statusDescription"] = sms.description
    return row


def schedule_row(scheduled: ScheduledSms) -> dict[str, Any]:
    """Return a row of the schedule."""
    sms, account = scheduled.sms, scheduled.account
    notation, country = phone_numbers.describe(sms.number)
    sender_id, sender_country = phone_numbers.describe_sender(sms.sender_id)
    row: dict[str, Any] = {
        "multipartCount": count_segments(sms.message, sms.data_coding),
        "country": country,
        "scheduledTime": sms.scheduled_time,
        "timeZone": sms.time_zone,
        "customerNumber": notation,
        "message": sms.message,
        "userName": account.first_name,
        "customerName": notation,
        "zuid": account.zuid_in_json,
        "jobId": scheduled.job_id,
        "senderId": sender_id,
        "messageType": Direction.OUTGOING,
        "countryCode": country,
        "isLongCode": phone_numbers.is_number(sms.sender_id),
        "logid": sms.log_id,
        "senderIdCountry": sender_country,
        "senderIdName": sender_id,
        "status": IN_QUEUE,
    }
    if sms.time_zone is None:
        del row["timeZone"]
    return row


def _sent_time(seconds: float, zone: tzinfo) -> str:
    """Return a time as Zoho writes it, in the account's zone without saying so."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
