"""The page with everybody's phone, where a person can read SMS and answer them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from itertools import islice

from aiohttp import web

from . import pages, replies
from .models import Direction, LoggedSms, ScheduledSms
from .phone_numbers import describe, describe_sender, is_number
from .state import SandboxState

REPLY_PATH = "/reply"

# More would make the page slow after a benchmark.
_SHOWN = 200

_GOOD = frozenset({"DELIVERED"})
_BAD = frozenset({"UNDELIVERED", "FAILED", "REJECTED", "EXPIRED"})

_STYLE = """
.phones { max-width: 84rem; margin: 0 auto; display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr));
  align-items: start; }
.phones > header { grid-column: 1 / -1; }
.phones .card { padding: 1.25rem; scroll-margin-top: 1.5rem; }
h2 { margin: 0; font-size: 1.1rem; }
ol { list-style: none; margin: .75rem 0; padding: 0 .25rem 0 0; max-height: 30rem;
  overflow-y: auto; }
li + li { margin-top: .75rem; }
li p { margin: 0 0 .2rem; padding: .55rem .9rem; width: fit-content; max-width: 88%;
  white-space: pre-wrap; background: var(--bubble);
  border-radius: .25rem 1.1rem 1.1rem; }
li.reply { text-align: right; }
li.reply p { margin-left: auto; text-align: left; background: var(--reply);
  border-radius: 1.1rem .25rem 1.1rem 1.1rem; }
li.waiting p { background: transparent; border: 1px dashed var(--line); }
.party { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); }
form { display: flex; flex-wrap: wrap; gap: .5rem; }
form label { flex: 1 1 100%; color: var(--soft); font-size: .85rem; }
label input, label select { width: 100%; color: var(--ink); font-size: 1rem; }
::placeholder { color: var(--soft); opacity: 1; }
input, select { min-width: 0; padding: .55rem .8rem; }
.reply-form input { flex: 1; }
.reply-form label { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }
button { padding: .55rem 1.1rem; }
"""

# Only what has changed: whoever types goes on typing.
_REFRESH = """
<script>
addEventListener("DOMContentLoaded", () => {
  const toEnd = list => { list.scrollTop = list.scrollHeight; };
  document.querySelectorAll("ol").forEach(toEnd);
  setInterval(async () => {
    try {
      const page = await (await fetch(location.pathname)).text();
      const fresh = new DOMParser().parseFromString(page, "text/html");
      const count = document.getElementById("count");
      count.textContent = fresh.getElementById("count").textContent;
      for (const phone of document.querySelectorAll("section"))
        if (!fresh.getElementById(phone.id)) phone.remove();
      for (const phone of [...fresh.querySelectorAll("section")].reverse()) {
        const list = document.getElementById(phone.id)?.querySelector("ol");
        const now = phone.querySelector("ol");
        if (!list) {
          document.querySelector("main > header").after(phone);
          toEnd(now);
        } else if (list.innerHTML !== now.innerHTML) {
          const rest = list.scrollHeight - list.clientHeight - list.scrollTop;
          list.innerHTML = now.innerHTML;
          if (rest < 9) toEnd(list);
        }
      }
    } catch { /* stopped: keep what is shown */ }
  }, 1000);
});
</script>
"""


def add_phone_routes(app: web.Application, state: SandboxState) -> None:
    """Add the page, and what its forms send."""
    phones = _Phones(state)
    app.router.add_get("/", phones.show)
    app.router.add_post(REPLY_PATH, phones.reply)


class _Phones:
    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def show(self, _request: web.Request) -> web.Response:
        state = self._state
        latest = [*islice(reversed(state.message_log), _SHOWN)]
        return replies.html(
            _page(
                latest[::-1],
                sorted(state.scheduled, key=lambda each: each.due_at)[:_SHOWN],
                len(state.message_log),
                sorted(filter(is_number, state.sender_ids)),
            )
        )

    async def reply(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            sms = self._state.receive(
                str(form.get("from", "")),
                str(form.get("text", "")),
                str(form.get("to", "")) or None,
            )
        except ValueError as err:
            page = pages.error_page("Not received", f"{err}".capitalize())
            return replies.html(page, 400)
        raise web.HTTPSeeOther(f"/#{_element_id(sms.number)}")


def _page(
    logged: Iterable[LoggedSms],
    scheduled: Iterable[ScheduledSms],
    count: int,
    sender_ids: Iterable[str],
) -> str:
    """Return the page: each phone with its SMS in order, the last used phone first."""
    phones: dict[str, list[str]] = {}
    for sms in logged:
        # What is put back comes last.
        bubbles = phones.pop(sms.number, [])
        phones[sms.number] = [*bubbles, _bubble(sms)]
    for each in scheduled:
        phones.setdefault(each.sms.number, []).append(_waiting_bubble(each))
    shown = "".join(
        _phone(number, bubbles) for number, bubbles in reversed(phones.items())
    )
    text = "No SMS yet. Send one, and it appears here."
    if phones:
        latest = f", the last {_SHOWN} are shown" if count > _SHOWN else ""
        text = f"{count} SMS{latest} · times are in UTC"
    body = (
        f'<header><h1>Phones</h1><small id="count">{text}</small>'
        '<noscript><small> · <a href="/">Refresh</a></small></noscript></header>'
        f"{shown}{_new_form(sender_ids)}"
    )
    return pages.page(
        "Phones", body, kind="phones", head=f"<style>{_STYLE}</style>{_REFRESH}"
    )


def _phone(number: str, bubbles: Iterable[str]) -> str:
    notation, name = escape(describe(number)[0]), _element_id(number)
    return (
        f'<section class="card" id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{notation}</h2>'
        f'<ol tabindex="0" aria-label="SMS of {notation}">{"".join(bubbles)}</ol>'
        f'<form class="reply-form" method="post" action="{REPLY_PATH}">'
        f'<input type="hidden" name="from" value="{escape(number)}">'
        f'<label for="{name}-text">Reply from {notation}</label>'
        f'<input id="{name}-text" name="text" required autocomplete="off"'
        ' placeholder="Reply"><button class="main">Send</button></form></section>'
    )


def _new_form(sender_ids: Iterable[str]) -> str:
    options = "".join(
        f'<option value="{escape(sender_id)}">'
        f"{escape(describe_sender(sender_id)[0])}</option>"
        for sender_id in sender_ids
    )
    return (
        f'<form class="card" method="post" action="{REPLY_PATH}">'
        "<h2>From another phone</h2>"
        '<label>Number<input name="from" type="tel" required autocomplete="off"'
        ' placeholder="+1 480 555 0100">'
        f'</label><label>To<select name="to">{options}</select></label>'
        '<label>Text<input name="text" required autocomplete="off"></label>'
        "<button>Send</button></form>"
    )


def _bubble(sms: LoggedSms) -> str:
    word = "to" if sms.direction is Direction.INCOMING else "from"
    at = datetime.fromtimestamp(sms.submitted_at, UTC)
    details = [
        f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%H:%M:%S}</time>',
        _party(word, sms.sender_id),
    ]
    if sms.status is not None:
        words = sms.status.replace("_", " ").lower()
        if sms.description is not None:
            words += f" ({sms.description})"
        details.append(f'<span class="{_look(sms.status)}">{escape(words)}</span>')
    look = "reply" if sms.direction is Direction.INCOMING else "sms"
    return _item(look, sms.log_id, sms.message, details)


def _waiting_bubble(scheduled: ScheduledSms) -> str:
    sms = scheduled.sms
    when = f"scheduled for {sms.scheduled_time} {sms.time_zone or ''}".rstrip()
    details = [escape(when), _party("from", sms.sender_id)]
    return _item("waiting", sms.log_id, sms.message, details)


def _party(word: str, sender_id: str) -> str:
    shown = escape(describe_sender(sender_id)[0])
    return f'<span class="party">{word} {shown}</span>'


def _item(look: str, log_id: str, message: str, details: Iterable[str]) -> str:
    return (
        f'<li class="{look}" data-log-id="{escape(log_id)}">'
        f"<p>{escape(message)}</p><small>{' · '.join(details)}</small></li>"
    )


def _look(status: str) -> str:
    if status.upper() in _GOOD:
        return "good"
    return "bad" if status.upper() in _BAD else "soft"


def _element_id(number: str) -> str:
    digits = number.removeprefix("+")
    return f"phone-{digits if digits.isdecimal() else number.encode().hex()}"
