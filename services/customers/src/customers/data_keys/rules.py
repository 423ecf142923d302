"""Personal data at rest: a data key per subject, wrapped by the master key; destroying it erases the subject.

AES-256-GCM throughout, a fresh nonce each time, the subject's id as associated data, so a value cannot be moved
to another subject. The blind index finds equal values without storing them: a keyed HMAC that nobody can
recompute without the master key. Source: C2, C3, I36
"""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


class MasterKeyFaulty(ValueError):
    """The master key is not 32 bytes in base64, or not the one that wrapped this subject's key."""


class SubjectKey:
    """The opened data key of one subject. Keep it no longer than a request."""

    def __init__(self, subject_id: UUID, key: bytes) -> None:
        self._subject = subject_id.bytes
        self._cipher = AESGCM(key)

    def seal(self, value: Any) -> bytes:
        """Encrypt a JSON value."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, orjson.dumps(value), self._subject)

    def open(self, sealed: bytes) -> Any:
        """Decrypt what `seal` made for this subject. Raises MasterKeyFaulty when it was altered or moved."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._subject)
        except InvalidTag as error:
            raise MasterKeyFaulty("a sealed value does not belong to its subject's key") from error
        return orjson.loads(plain)


class Vault:
    """Makes and opens subject keys. `master_key` is base64 of 32 bytes."""

    def __init__(self, master_key: str) -> None:
        try:
            master = base64.b64decode(master_key, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MasterKeyFaulty("the master key is not base64") from error
        if len(master) != KEY_BYTES:
            raise MasterKeyFaulty(f"the master key has {len(master)} bytes, not {KEY_BYTES}")
        self._wrapping = AESGCM(_derived(master, b"apotheca customers: wrap subject keys"))
        self._index = _derived(master, b"apotheca customers: blind index")
        self.master_key_id = hashlib.sha256(self._index).hexdigest()[:16]
        """Names the master key without telling it, so that keys can be wrapped anew after a rotation."""

    def new_key(self, subject_id: UUID) -> tuple[bytes, SubjectKey]:
        """A fresh data key: wrapped for the database, and opened for use."""
        key = os.urandom(KEY_BYTES)
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, subject_id.bytes), SubjectKey(subject_id, key)

    def open_key(self, subject_id: UUID, wrapped: bytes) -> SubjectKey:
        """Raises MasterKeyFaulty when another master key wrapped it."""
        try:
            key = self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], subject_id.bytes)
        except InvalidTag as error:
            raise MasterKeyFaulty("this subject's key was wrapped by another master key") from error
        return SubjectKey(subject_id, key)

    def blind_index(self, purpose: str, value: str) -> bytes:
        """Equal values of one purpose give equal bytes; nothing else can be learnt without the master key."""
        return hmac.digest(self._index, f"{purpose}\0{value}".encode(), "sha256")


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master)


def forgotten_code(vault: Vault, code: str) -> str:
    """What stays of the external code of a forgotten person: enough to know it again, not to read it."""
    return "~" + vault.blind_index("code", code).hex()
