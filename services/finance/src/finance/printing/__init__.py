"""Papers as PDF: how every paper of this service is printed."""

from finance.printing.papers import DOC, MIMETYPE, pdf, shown, yuan
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "DOC", "MIMETYPE", "pdf", "shown", "yuan"]
