"""The frame of every HTML file that leaves: one page that needs nothing else, with a policy."""

from __future__ import annotations

from html import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #8886;padding:.35rem .5rem;text-align:left;vertical-align:top}"""


def page(title: str, body: str, *, style: str = "", policy: str = POLICY, script: str = "") -> str:
    """Return an HTML document of ``body``, which is HTML: what it quotes is escaped already.

    ``title`` is a text. ``style`` adds CSS to the common look. ``policy`` is by default one under
    which no script runs; ``script`` is the source of one that a wider policy admits.
    """
    code = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en"><head>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}\n{style}</style>'
        f"{code}</head>\n<body>{body}</body></html>\n"
    )
