"""What people are known by: checked, put into one form, masked, sealed."""

import base64
import os
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.data_keys.rules import MasterKeyFaulty, Vault
from customers.kernel import personal

MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
JSON = st.dictionaries(st.text(max_size=10), st.one_of(st.text(), st.none(), st.integers(-(2**53), 2**53)))


@pytest.mark.requirement("C2")
@pytest.mark.parametrize(
    ("name", "shown"), [("张三", "张*"), ("张", "*"), ("欧阳修远", "欧***"), ("Elizabeth Bennet", "E***")]
)
def test_a_name_shows_its_first_letter(name, shown):
    assert personal.mask_name(name) == shown


@pytest.mark.requirement("C2")
def test_a_telephone_number_shows_its_ends():
    assert personal.mask_phone("+8613812341234") == "138****1234"
    assert personal.mask_phone("+442079460018") == "****0018"


@given(name=st.text(min_size=2, max_size=60))
def test_a_masked_name_tells_one_character_at_most(name):
    assert personal.mask_name(name).rstrip("*") in {name[:1], name[:1].rstrip("*")}


@pytest.mark.parametrize("phone", ["13812341234", "+86 138 1234 1234", "138-1234-1234", "0086 13812341234"])
def test_every_way_to_write_a_number_is_one_number(phone):
    assert personal.e164(phone) == "+8613812341234"


@pytest.mark.parametrize("phone", ["", "12", "abc", "99999999999", "+86138"])
def test_what_is_no_number_is_refused_without_repeating_it(phone):
    with pytest.raises(personal.PhoneInvalid) as refusal:
        personal.e164(phone)
    assert not phone or phone not in refusal.value.detail


@pytest.mark.requirement("C28")
def test_a_social_credit_code_needs_its_check_digit():
    assert personal.unified_code("91110000600037341L") == "91110000600037341L"
    with pytest.raises(personal.UsccInvalid):
        personal.unified_code("91110000600037341M")


def test_an_identity_number_needs_its_check_digit():
    assert personal.id_number("360426199101010071") == "360426199101010071"
    with pytest.raises(personal.IdNumberInvalid):
        personal.id_number("360426199101010072")


def test_birthdays_lie_between_1880_and_today():
    today = date(2026, 3, 14)
    assert personal.plausible_birthday(today, today)
    assert not personal.plausible_birthday(date(2026, 3, 15), today)
    assert not personal.plausible_birthday(date(1879, 12, 31), today)


@pytest.mark.requirement("C2", "C3")
@given(value=JSON)
def test_what_is_sealed_opens_with_its_key_alone(value):
    vault, subject, other = Vault(MASTER_KEY), uuid4(), uuid4()
    wrapped, key = vault.new_key(subject)
    sealed = key.seal(value)
    assert vault.open_key(subject, wrapped).open(sealed) == value
    with pytest.raises(MasterKeyFaulty):
        vault.new_key(other)[1].open(sealed)
    with pytest.raises(MasterKeyFaulty):
        vault.open_key(other, wrapped)
    with pytest.raises(MasterKeyFaulty):
        key.open(sealed[:-1] + bytes([sealed[-1] ^ 1]))


@pytest.mark.requirement("C2")
def test_the_blind_index_finds_equals_and_depends_on_the_master_key():
    vault, stranger = Vault(MASTER_KEY), Vault(base64.b64encode(os.urandom(32)).decode())
    index = vault.blind_index("phone", "+8613812341234")
    assert index == Vault(MASTER_KEY).blind_index("phone", "+8613812341234")
    assert index != vault.blind_index("code", "+8613812341234")
    assert index != stranger.blind_index("phone", "+8613812341234")
    wrapped, _ = vault.new_key(subject := uuid4())
    with pytest.raises(MasterKeyFaulty):
        stranger.open_key(subject, wrapped)


@pytest.mark.parametrize("key", ["", "no base64!", base64.b64encode(b"short").decode()])
def test_a_faulty_master_key_is_refused_at_once(key):
    with pytest.raises(MasterKeyFaulty):
        Vault(key)
