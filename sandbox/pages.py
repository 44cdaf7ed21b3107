"""The HTML pages of the sandbox."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from .models import SCOPES, Account, Sms
from .phone_numbers import describe

# More would make the page slow after a benchmark.
_SHOWN = 200

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #66727f; --paper: #fff;
  --desk: #eef1f5; --line: #dde3ea; --bubble: #e6f0ff; --accent: #1565d8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ecf1; --soft: #98a4b1; --paper: #1b222b; --desk: #10151b;
    --line: #2e3843; --bubble: #1e3350; --accent: #6ea8ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; padding: 2rem 1rem; background: var(--desk);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 28rem; margin: 0 auto; padding: 1.5rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 1.5rem;
  box-shadow: 0 .5rem 2rem rgb(0 0 0 / .08); }
h1 { margin: 0 0 .25rem; font-size: 1.3rem; }
p, li { overflow-wrap: anywhere; }
small, .soft { color: var(--soft); font-size: .85rem; }
article { margin-top: 1rem; }
article header { display: flex; justify-content: space-between; gap: 1rem; }
article p { margin: .25rem 0; padding: .6rem .9rem; white-space: pre-wrap;
  background: var(--bubble); border-radius: .25rem 1.1rem 1.1rem; }
form { display: inline-block; margin: 1rem .5rem 0 0; }
button { padding: .6rem 1.6rem; font: inherit; border-radius: .6rem; cursor: pointer;
  border: 1px solid var(--line); background: transparent; color: inherit; }
button[value=accept] { border-color: var(--accent); background: var(--accent);
  color: var(--paper); }
"""

_REFRESH = """
<script>
setInterval(async () => {
  try {
    const page = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(page, "text/html");
    const [now, then] = [fresh.querySelector("main"), document.querySelector("main")];
    if (now.innerHTML !== then.innerHTML) then.replaceWith(now);
  } catch { /* stopped: keep what is shown */ }
}, 1000);
</script>
<noscript><meta http-equiv="refresh" content="2"></noscript>
"""


def phone_page(sent: list[Sms]) -> str:
    """Return the page that shows the SMS that were sent, newest first."""
    shown = "".join(_sms_article(sms) for sms in reversed(sent[-_SHOWN:]))
    count = f"{len(sent)} SMS" if sent else "No SMS yet: send one, it appears here."
    body = f'<h1>Phone</h1><small id="count">{count}</small>{shown}'
    return _page("Phone", body, _REFRESH)


def consent_page(
    action: str,
    request_id: str,
    client_id: str,
    account: Account,
    scopes: Iterable[str],
) -> str:
    """Return the page that asks whether the client may have access."""
    listed = "".join(
        f"<li>{escape(SCOPES[scope])}<br><small>{escape(scope)}</small></li>"
        for scope in scopes
    )
    buttons = "".join(
        f'<form method="post" action="{escape(action)}">'
        f'<input type="hidden" name="request_id" value="{escape(request_id)}">'
        f'<button name="decision" value="{label.lower()}">{label}</button>'
        "</form>"
        for label in ("Accept", "Reject")
    )
    body = (
        "<h1>Zoho Accounts (sandbox)</h1>"
        f'<p>Hi {escape(account.first_name)}, <span class="soft">'
        f"{escape(account.email)}</span></p>"
        f"<p>The application <b>{escape(client_id)}</b> would like to:</p>"
        f"<ul>{listed}</ul>{buttons}"
    )
    return _page("Zoho Accounts", body)


def error_page(title: str, text: str) -> str:
    """Return the page that says why nobody is asked for consent."""
    body = f"<h1>{escape(title)}</h1><p>{escape(text)}</p><small>Zoho (sandbox)</small>"
    return _page(title, body)


def _sms_article(sms: Sms) -> str:
    notation, _ = describe(sms.number)
    at = datetime.fromtimestamp(sms.submitted_at, UTC).strftime("%H:%M:%S UTC")
    details = [f"from {sms.sender_id}"]
    if sms.scheduled_time is not None:
        details.append(f"scheduled for {sms.scheduled_time} {sms.time_zone or ''}")
    return (
        f'<article data-log-id="{escape(sms.log_id)}">'
        f"<header><b>{escape(notation)}</b><small>{at}</small></header>"
        f"<p>{escape(sms.message)}</p>"
        f"<small>{escape(' · '.join(details))}</small></article>"
    )


def _page(title: str, body: str, extra: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{extra}</head>"
        f"<body><main>{body}</main></body></html>"
    )
