"""Products as their source tells them, and a catalogue over a finance service's own routes."""

import json
from datetime import date

SOURCE = {"source": "master", "source_version": "2026-11"}


def a_product(product_id="P-1", **odd):
    """A prescription drug as the receipts of `finance_builders` would have to name it."""
    return {
        "product_id": product_id,
        "generic_name": "阿莫西林胶囊",
        "legal_class": "rx",
        "control_class": "none",
        "temp_class": "normal",
        "category": "rx",
        "unit": "盒",
        **SOURCE,
        **odd,
    }


def ean13(no):
    """A GTIN of thirteen digits for a number."""
    digits = f"69{no:010d}"
    total = sum(int(each) * (3 if at % 2 else 1) for at, each in enumerate(digits))
    return f"{digits}{-total % 10}"


class Catalogue:
    """The catalogue of an office: a purchaser tells, quality assurance decides."""

    def __init__(self, office):
        self.office = office

    def tell(self, product, *, role="purchaser", **who):
        return self.office.post("/v1/products", product, role=role, **who)

    def told(self, product, **who):
        answer = self.tell(product, **who)
        assert answer.status_code == 200, answer.text
        return answer.json

    def upload(self, body, *, kind="application/x-ndjson", role="purchaser", **who):
        return self.office.app.test_client().post(
            "/v1/products/bulk", data=body, content_type=kind, headers=self.office.headers(role, **who)
        )

    def uploaded(self, products, **how):
        if isinstance(products, list):
            products = "\n".join(json.dumps(each) for each in products).encode()
        answer = self.upload(products, **how)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.data.splitlines()]

    def decide(self, path, decision="approved", reason=None, *, role="qa", **who):
        body = {"decision": decision, "reason": reason}
        return self.office.post(f"/v1/{path}/decisions", body, role=role, **who)

    def decided(self, path, *args, **who):
        answer = self.decide(path, *args, **who)
        assert answer.status_code == 200, answer.text
        return answer.json

    def agreed(self, product, **who):
        """The product told and approved."""
        proposal = self.told(product, **who)["proposal_id"]
        return self.decided(f"product-proposals/{proposal}")

    def read(self, path, role="qa"):
        answer = self.office.get(f"/v1/{path}", role=role)
        assert answer.status_code == 200, answer.text
        return answer.json["items"]

    def versions(self, product_id):
        return self.read(f"product-versions?product_id={product_id}")

    def on(self, product_id, day: date | None = None):
        """The version that holds on a day, or None."""
        more = f"&day={day}" if day else ""
        return next(iter(self.read(f"products?product_id={product_id}{more}")), None)
