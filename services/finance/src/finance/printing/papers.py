"""Papers as PDF, from HTML, with Chinese fonts embedded: they look the same on every machine.

The fonts come with a package of the lock, never from the machine; WeasyPrint needs the machine's Pango.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import pylopdf_fonts_zh_cn as chinese
from flask import Response

from shared.errors import Unavailable

MIMETYPE = "application/pdf"
DOC: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "A4, fonts embedded",
            "content": {MIMETYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}
"""Of a route that answers a paper, for its OpenAPI document."""
FAMILY = "Apotheca Sans"
STYLE = """
@font-face { font-family: "%(family)s"; src: url("%(sans)s"); }
@page { size: A4; margin: 22mm 18mm; @bottom-center { content: counter(page) " / " counter(pages);
    font-family: "%(family)s"; font-size: 8pt; } }
html { font-family: "%(family)s"; font-size: 10.5pt; line-height: 1.6; }
h1 { font-size: 17pt; text-align: center; font-weight: normal; letter-spacing: .2em; }
table { width: 100%%; border-collapse: collapse; font-size: 9pt; margin: 4mm 0; }
th, td { border: .4pt solid #555; padding: 1.2mm 2mm; text-align: left; font-weight: normal; }
th { background: #eee; }
td.amount, th.amount { text-align: right; }
tr { break-inside: avoid; }
.meta { font-size: 9pt; }
.signature { margin-top: 14mm; text-align: right; }
"""


class PrintingUnavailable(Unavailable):
    code = "printing_unavailable"
    cure = "Tell the operator: Pango must be installed where papers are printed."


HEAD = """<h1>{{ label.title.zh }}</h1><p class="meta" style="text-align:center">{{ label.title.en }}</p>
<p class="meta">{% for name, value in heads %}{{ label[name].zh }} {{ label[name].en }}: {{ value }}<br>
{% endfor %}</p>"""
"""What a paper in two languages begins with, as `{% include "head" %}`: its title, and what `heads` pairs with values."""


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        loader=jinja2.DictLoader({"head": HEAD}),
    )


def yuan(fen: int) -> str:
    """`1,234.50`: an amount in fen, in yuan with thousands apart."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def pdf(template: str, values: Mapping[str, Any]) -> bytes:
    """The Jinja template as an A4 document; every value is escaped. Nothing is fetched from anywhere.

    WeasyPrint is loaded when the first paper is printed: it is large, and most processes never print.
    Raises PrintingUnavailable where the machine has no Pango.
    """
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
    except OSError as error:
        raise PrintingUnavailable(
            "this machine lacks Pango, which papers are printed with", retry_after_s=3600
        ) from error

    fonts = FontConfiguration()
    style = STYLE % {"family": FAMILY, "sans": chinese.sans_path().as_uri()}
    html = _templates().from_string(template).render(yuan=yuan, **values)
    printed: bytes = HTML(string=html).write_pdf(
        stylesheets=[CSS(string=style, font_config=fonts)], font_config=fonts
    )
    return printed


def shown(paper: bytes, name: str) -> Response:
    """A PDF as a browser shows it, and saves it as `name`.pdf."""
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(paper, 200, headers, mimetype=MIMETYPE)
