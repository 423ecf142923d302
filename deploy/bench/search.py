"""A search in a catalogue of 100,000 products over HTTP: what people type, rare and in nearly every name.

Beside it stands the bare statement that a program with the same index would send by itself, without ranks, rights or JSON.

usage: python -m deploy.bench.run search
"""

import http.client
import json
import random
import time
from collections.abc import Iterator
from statistics import quantiles
from typing import Any
from urllib.parse import quote

from deploy.bench import catalogue
from deploy.bench.servers import Bench
from shared import search

UPLOADS = 2
P95_MS_MAX = 20
FLOOR = 0.1
ASKED = 1_500
STEMS = (
    "阿莫西林", "头孢地尼", "头孢克肟", "罗红霉素", "阿奇霉素", "左氧氟沙星", "布洛芬",
    "对乙酰氨基酚", "氨酚黄那敏", "二甲双胍", "格列美脲", "阿卡波糖", "硝苯地平", "氨氯地平",
    "缬沙坦", "厄贝沙坦", "美托洛尔", "阿托伐他汀", "瑞舒伐他汀", "阿司匹林", "氯吡格雷",
    "奥美拉唑", "雷贝拉唑", "多潘立酮", "蒙脱石", "氯雷他定", "西替利嗪", "孟鲁司特",
    "重组人干扰素", "六味地黄", "感冒清热", "银翘解毒", "板蓝根", "藿香正气", "牛黄解毒", "丹参",
    "三七", "黄芪", "逍遥", "维生素", "叶酸", "碳酸钙", "葡萄糖酸锌", "甲硝唑", "克霉唑", "酮康唑",
    "莫匹罗星", "红霉素", "氧氟沙星", "妥布霉素", "玻璃酸钠", "利巴韦林", "奥司他韦", "连花清瘟",
    "双黄连", "蒲地蓝", "小柴胡", "清开灵", "川贝枇杷", "急支", "乌鸡白凤", "益母草", "当归",
    "归脾",
)  # fmt: skip
SALTS = ("", "", "", "", "盐酸", "复方", "硫酸", "马来酸", "注射用", "小儿")
FORMS = (
    "片",
    "片",
    "片",
    "分散片",
    "缓释片",
    "胶囊",
    "胶囊",
    "软胶囊",
    "颗粒",
    "口服液",
    "注射液",
    "丸",
    "滴眼液",
    "软膏",
)
TRADES = (
    "康泰", "维健", "舒欣", "宁安", "乐普", "华北", "仁和", "同济", "博利", "恒瑞", "白云", "三九",
    "云南", "江中", "太极", "修正",
)  # fmt: skip
COMMON = ("片", "胶囊", "p", "pian", "jn", "国药准字", "0", "jiaonang", "6900")


def run(bench: Bench, *, rounds: int = 1) -> Iterator[dict[str, Any]]:
    """Yield what, ours and bare as milliseconds that 95 of 100 questions stay below, at_most, and their ratio."""
    bench.url("finance")
    with bench.process("finance", "web", transport="feed"):
        address = bench.address("finance").removeprefix("http://")
        for upload in range(UPLOADS):
            file = bench.folder / "products.ndjson"
            numbers = range(upload * catalogue.PRODUCTS, (upload + 1) * catalogue.PRODUCTS)
            file.write_text("".join(f"{json.dumps(product(number))}\n" for number in numbers))
            catalogue.approve(bench, address, catalogue.upload(bench, address, file, "proposed")[1])
        with bench.connect("finance") as conn:
            conn.execute("analyze")
        for what, questions in (("what people type", typed()), ("what nearly every product has", COMMON)):
            ours, bare = _measured(bench, address, questions)
            yield {
                "what": f"a search among 100,000 products, {what}, p95 ms",
                "ours": ours,
                "bare": bare,
                "ratio": round(bare / ours, 2),
                "floor": FLOOR,
                "at_most": P95_MS_MAX,
            }


def product(number: int) -> dict[str, Any]:
    """Names put together as they are in a shop; codes as mixed as those of many makers are."""
    drawn = random.Random(number)
    generic = drawn.choice(SALTS) + drawn.choice(STEMS) + drawn.choice(FORMS)
    trade = f"{drawn.choice(TRADES)}{drawn.choice('康宁欣泰平乐舒')}" if drawn.random() < 0.5 else None
    codes = {
        "product_id": f"{number * 61_803_399 % 10**8:08d}",
        "approval_number": f"国药准字{drawn.choice('HHHZZSB')}{drawn.randint(1999, 2025)}{drawn.randint(1, 9999):04d}",
        "gtins": catalogue.product(number * 6_180_339_887 % 10**10)["gtins"],
    }
    return catalogue.product(number) | codes | {"generic_name": generic, "trade_name": trade}


def typed() -> list[str]:
    """Parts of names, in characters, pinyin and initials, and codes, whole or four digits and more of them."""
    drawn = random.Random(1)
    found = list(COMMON)
    while len(found) < ASKED:
        row = product(drawn.randrange(UPLOADS * catalogue.PRODUCTS))
        spelled = search.spellings(row["generic_name"])
        names = row["generic_name"], row["trade_name"] or "片", spelled[0], spelled[-1]
        codes = row["gtins"][0], row["approval_number"], row["product_id"]
        is_code = drawn.random() < 0.3
        whole = drawn.choice(codes if is_code else names)
        length = drawn.randint(4, len(whole)) if is_code else drawn.randint(1, 8)
        begin = drawn.randrange(max(1, len(whole) - length)) if drawn.random() < 0.3 else 0
        found.append(whole[begin : begin + length])
    return found


BARE = """
select v.* from product_words w join product_versions v on v.product_id = w.product_id and v.version = w.version
where w.grams @> %s::text[] and w.words like %s order by w.product_id limit 50
"""


def _measured(bench: Bench, address: str, questions: "list[str] | tuple[str, ...]") -> tuple[float, float]:
    token = bench.issuer.token("quality", ["qa"])
    connection = http.client.HTTPConnection(address)
    ours, bare = [], []
    with bench.connect("finance") as conn:
        for question in questions:
            started = time.perf_counter()
            connection.request(
                "GET", f"/v1/products?search={quote(question)}", headers={"Authorization": f"Bearer {token}"}
            )
            answer = connection.getresponse()
            found = json.loads(answer.read())["items"]
            ours.append((time.perf_counter() - started) * 1_000)
            asked = search.sought(question)
            started = time.perf_counter()
            rows = conn.execute(BARE, (asked["search_inside"], asked["search_inside_like"])).fetchall()
            bare.append((time.perf_counter() - started) * 1_000)
            if not found or len(rows) > len(found):
                raise RuntimeError(f"{question} found {len(found)} products, the bare statement {len(rows)}")
    return _p95(ours), _p95(bare)


def _p95(taken: list[float]) -> float:
    return round(quantiles(taken, n=20)[-1], 1)
