"""The frame of the sandbox's HTML pages, and those that ask for consent."""

from collections.abc import Iterable
from html import escape

from .models import SCOPES, Account

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6672; --paper: #fff;
  --desk: #eef1f5; --line: #d5dce4; --bubble: #e6f0ff; --reply: #dff3e4;
  --accent: #1565d8; --good: #1b7a3d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ecf1; --soft: #a0abb7; --paper: #1b222b; --desk: #10151b;
    --line: #38434f; --bubble: #1e3350; --reply: #1c3b2a; --accent: #6ea8ff;
    --good: #6fd394; --bad: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; padding: 2rem 1rem; background: var(--desk);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
.card { padding: 1.5rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 1.5rem;
  box-shadow: 0 .5rem 2rem rgb(0 0 0 / .08); }
main.card { max-width: 28rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 1.3rem; }
p, li { overflow-wrap: anywhere; }
small, .soft { color: var(--soft); font-size: .85rem; }
main.card form { display: inline-block; margin: 1rem .5rem 0 0; }
button, input, select { font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .6rem; }
button { padding: .6rem 1.6rem; cursor: pointer; }
button.main { border-color: var(--accent); background: var(--accent);
  color: var(--paper); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
"""


def page(title: str, body: str, *, kind: str = "card", head: str = "") -> str:
    """Return a page; `kind` is how its content is laid out, `head` what it needs."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{head}</head>"
        f'<body><main class="{kind}">{body}</main></body></html>'
    )


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
        f'<button class="{look}" name="decision" value="{label.lower()}">'
        f"{label}</button></form>"
        for label, look in (("Accept", "main"), ("Reject", "other"))
    )
    body = (
        "<h1>Zoho Accounts (sandbox)</h1>"
        f'<p>Hi {escape(account.first_name)}, <span class="soft">'
        f"{escape(account.email)}</span></p>"
        f"<p>The application <b>{escape(client_id)}</b> would like to:</p>"
        f"<ul>{listed}</ul>{buttons}"
    )
    return page("Zoho Accounts", body)


def error_page(title: str, text: str) -> str:
    """Return the page that says why nobody is asked for consent."""
    body = f"<h1>{escape(title)}</h1><p>{escape(text)}</p><small>Zoho (sandbox)</small>"
    return page(title, body)
