"""Free words of a bank line without who paid or was paid, and without accounts, cards, telephones and identity cards.

    付款人张三 账号6222020200112345678 货款      what a label names, with or without a colon or a blank: 货款
    货款 张三 6222 0202 0011 2345 678            a bare number of 12 to 22 digits, and a name right before or after it: 货款

What accountants look for stays: words of purpose, and numbers that are no account's. These are numbers with letters (KH1234ABCD),
numbers that follow a word for a document (发票, 订单, invoice …), numbers that begin with a day (202610051230001), electronic
invoices (20 digits, year and province first), and numbers of more than 22 digits, as payment services write.

A name that no label names and that stands at no account number cannot be told from other words, and stays. Beside a number
a word goes that is no word of purpose, also where it was something else.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

_SOMEBODY = r"(?:付款|收款|对方|交易对手|汇款|打款|存款|缴款|转出|转入|出票|来账|往账|户主|持卡|开户|联系|[付收](?=方))"
_MEMBER = r"(?:单位|方(?![式法便向面案])|人(?!民币))"
_NUMBER = r"(?:银行)?(?:账户号码?|帐户号码?|账号|帐号|卡号|账户|帐户)"
_NAME = r"(?:全称|名称|姓名|户名|账户名称?|帐户名称?)"
_BANK = r"(?:开户行|行名|行号)"
_PERSONAL = r"(?:身份证件?号?码?|证件号码?|手机号?码?|联系电话|电话)"
_ENGLISH = r"\b(?:payer|payee|beneficiary|remitter|ordering party)(?: name)?\b"
_ENGLISH_NUMBER = r"\b(?:account|acct|a/c|iban|card)(?: ?(?:number|no|nr))?\b[.#]*"
_LABEL = rf"(?:{_SOMEBODY}{_MEMBER}?(?:{_NUMBER}|{_NAME}|{_BANK})?|{_NUMBER}|{_NAME}|{_PERSONAL}|{_ENGLISH}|{_ENGLISH_NUMBER}|\bname\b)"

_PURPOSES = (
    r"(?:[一二三四五六七八九十]{1,3}月份?|[一二三四]季度|[上下全本]年度?|货款|药款|尾款|余款|预付款|预收款|借款|贷款|还款|退款|汇款|付款|收款|存款|罚款|保险|"
    r"货物|药品|药材|中药|西药|器械|耗材|商品|采购|购药|购货|销售|发票|订单|合同|协议|报销|备用金|保证金|公积金|违约金|滞纳金|押金|定金|订金|租金|奖金|佣金|现金|房租|"
    r"工资|薪酬|社保|医保|利息|结息|利润|分红|转账|转帐|汇兑|结算|清算|收单|消费|提现|取现|存现|现存|现支|充值|往来|差旅|水电|物业|快递|运输|物流|广告|服务|咨询|"
    r"维修|装修|办公|银联|微信|支付宝|财付通|支付|代发|代扣|代付|代收|批量|网银|跨行|柜台|冲正|更正|退回|退汇|补贴|余额|其他|"
    r"(?:手续|管理|服务|维修|水|电|水电|燃气|通讯|话|会|保|保洁|快递|运|运输|差旅|医药|药|诊|学|物业|装卸|仓储|检测|咨询|推广|招待|培训|加班|劳务|税|路|车)费|"
    r"(?:税|扣|划|拨|补|全|首)款|(?:增值|所得|印花|个|契)税|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{1,2}[款费税息租])"
)
_LATIN_PURPOSES = (
    r"(?:payments?|goods|invoices?|orders?|contracts?|rent|salary|salaries|wages|fees?|tax|interest|transfers?|refunds?|deposits?|settlements?|purchases?|"
    r"supplies|services?|medicines?|drugs?|for|of|and|the|to|from|in|ref|reference|no|account|acct|card|"
    r"january|february|march|april|may|june|july|august|september|october|november|december)"
)
_DOCUMENTS = r"(?:发票|单据|单|订单|合同|流水|凭证|参考|编号|序号|票据|回单|批次|批|协议|运单|税票|\b(?:invoice|inv|order|contract|ref|reference|voucher|receipt|po|no))"
_END = r"(?=\Z|[\s,;，；、。|/(（]|\d)"

_LATIN_NAME = rf"(?!(?i:{_LATIN_PURPOSES})\b)[A-Z][A-Za-z.'-]{{0,30}}(?![A-Za-z0-9])(?:[ ,]{{1,2}}(?!(?i:{_LATIN_PURPOSES})\b)[A-Z][A-Za-z.'-]{{0,30}}(?![A-Za-z0-9])){{0,3}}"
_HAN_NAME = rf"(?:(?!(?i:{_LABEL})|{_PURPOSES}{{1,3}}{_END})[\u3400-\u9fff·•()（）]){{1,40}}"
_DIGITS = r"[\dXx*](?:[ -]?[\dXx*]){3,39}(?![A-Za-z0-9])"
_ADDRESS = r"[\w.*+-]{1,64}@[\w.-]{1,64}"

_PARTY = rf"(?:{_HAN_NAME}|{_LATIN_NAME}|[A-Za-z0-9]{{1,20}}(?=[\u3400-\u9fff])){{1,4}}"

_LABELLED_NAME = re.compile(
    rf"(?i:{_SOMEBODY}{_MEMBER}?{_NAME}|{_SOMEBODY}{_MEMBER}|交易对手|户主|{_NAME}|{_ENGLISH})\s*[:：为是]?\s*{_PARTY}[,;，；、|]?"
)
_NUMBER_HERE = rf"(?:{_ADDRESS}|[A-Z]{{2}}\d{{2}}[A-Z0-9]{{8,30}}\b|{_DIGITS})[,;，；、|]?"
_LABELLED_NUMBER = rf"(?i:(?:{_SOMEBODY}{_MEMBER}?)?{_NUMBER}|{_PERSONAL}|{_ENGLISH_NUMBER})[\s:：为是#]{{0,5}}{_NUMBER_HERE}"
_LABELLED = re.compile(
    rf"(?i:{_LABEL})\s*[:：]\s*(?:{_PARTY}|(?:(?!(?i:{_LABEL})\s*[:：])[^\s,;，；、|/])*)[,;，；、|]?"
)
_BARE = (
    r"(?<![A-Za-z0-9*])(?<![A-Za-z0-9][._-])(?<!\d/)"
    r"(?:\d{12,22}|\d{17}[Xx]|\d{4}(?:[ -]\d{4}){2,4}(?:[ -]?\d{1,3})?|\d{3,6}\*{2,14}\d{2,6})(?![A-Za-z0-9*]|[._-]\w)"
)
_IBAN = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"
_ACCOUNT = re.compile(rf"(?P<iban>{_IBAN})|(?P<labelled>{_LABELLED_NUMBER})|(?P<bare>{_BARE})")
_DOCUMENT_BEFORE = re.compile(
    rf"(?:{_DOCUMENTS})(?:号码|号|码|代码|number|no)?[\s.:：#]{{0,3}}\Z", re.IGNORECASE
)
_OURS = re.compile(
    r"20[2-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d*|2[2-9](?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])\d{16}"
)
_WORD_BEFORE = re.compile(
    r"([\u3400-\u9fff·•()（）]{2,40}|(?:[A-Z][A-Za-z.'-]{0,30} ){0,2}[A-Z][A-Za-z.'-]{1,30})[ ,，:：/-]{0,2}\Z"
)
_WORD_AFTER = re.compile(
    r"[)）]?[ ,，/-]{0,2}([\u3400-\u9fff·•()（）]{2,40}|[A-Z][A-Za-z.'-]{1,30}(?: [A-Z][A-Za-z.'-]{0,30}){0,2}(?![A-Za-z0-9]))"
)
_LAST_PURPOSE = re.compile(rf".*{_PURPOSES}")
_FIRST_PURPOSE = re.compile(_PURPOSES)
_LATIN_PURPOSE = re.compile(rf"\b{_LATIN_PURPOSES}\b", re.IGNORECASE)


def without_parties(text: str) -> str:
    """The words with one blank between them, in the forms that the bank wrote."""
    for spans in (_spans(_LABELLED_NAME), _accounts, _spans(_LABELLED)):
        text = _cut(text, spans(_narrow(text)))
    return " ".join(text.split())


def _spans(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda text: (found.span() for found in pattern.finditer(text))


def _narrow(text: str) -> str:
    """The same text, sign for sign, with full-width letters and figures made narrow."""
    return "".join(form if len(form := unicodedata.normalize("NFKC", each)) == 1 else each for each in text)


def _cut(text: str, spans: Iterator[tuple[int, int]]) -> str:
    kept, at = [], 0
    for begin, end in spans:
        kept.append(text[at : max(begin, at)])
        at = max(end, at)
    return " ".join([*kept, text[at:]])


def _accounts(text: str) -> Iterator[tuple[int, int]]:
    """Where account numbers stand, with the name beside each."""
    for found in _ACCOUNT.finditer(text):
        if not _is_account(found):
            continue
        begin, end = found.span()
        before = _WORD_BEFORE.search(text, max(begin - 100, 0), begin)
        after = _WORD_AFTER.match(text, end)
        if before:
            begin = before.start(1) + _purpose_chars(before[1])
        if after:
            end = after.start(1) + _name_chars(after[1])
        yield begin, end + (text[end : end + 1] in {")", "）"})


def _is_account(found: re.Match[str]) -> bool:
    """An IBAN by its check digits; a bare number unless it is a document's."""
    number = found[0].replace(" ", "")
    if found["iban"]:
        return int("".join(str(int(each, 36)) for each in number[4:] + number[:4])) % 97 == 1
    before = found.string[max(found.start() - 20, 0) : found.start()]
    return found["bare"] is None or not (_OURS.fullmatch(number) or _DOCUMENT_BEFORE.search(before))


def _purpose_chars(word: str) -> int:
    """How much of the words before a number is purpose: all after it is a name."""
    if word[0].isascii():
        purposes = list(_LATIN_PURPOSE.finditer(word))
        return purposes[-1].end() if purposes else 0
    found = _LAST_PURPOSE.match(word)
    return found.end() if found else 0


def _name_chars(word: str) -> int:
    """How much of the words after a number is a name: all from the first purpose on is kept."""
    found = (_LATIN_PURPOSE if word[0].isascii() else _FIRST_PURPOSE).search(word)
    return found.start() if found else len(word)
