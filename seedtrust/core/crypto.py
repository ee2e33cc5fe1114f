"""Field encryption: AES-256-GCM bound to its row, with key ids and a keyed fingerprint."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_KEY_BYTES = 32


class CiphertextRefused(Exception):
    """A sealed value was altered, moved to another row, or sealed with an unknown key."""


@dataclass(frozen=True)
class Keyring:
    """Keys by id, the id that seals, and a separate key for fingerprints.

    `keys` holds 32-byte AES keys; older ones stay so that their values can be opened.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    primary: str
    index_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse keys of the wrong length and a primary that is not there."""
        if self.primary not in self.keys:
            message = f"the key {self.primary!r} that should seal is missing"
            raise ValueError(message)
        if any(len(key) != _KEY_BYTES for key in (*self.keys.values(), self.index_key)):
            message = "every field key must be 32 bytes long"
            raise ValueError(message)

    def seal(self, plaintext: str, aad: str) -> str:
        """Encrypt; `aad` names table, column and row, so the value opens nowhere else."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.primary]).encrypt(nonce, plaintext.encode(), aad.encode())
        return f"{self.primary}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, token: str, aad: str) -> str:
        """Decrypt. Raises CiphertextRefused when key, row or bytes do not fit."""
        return self.open_bytes(token, aad).decode()

    def seal_bytes(self, plaintext: bytes, aad: str) -> str:
        """Encrypt bytes, such as a payment file, bound to its row."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.primary]).encrypt(nonce, plaintext, aad.encode())
        return f"{self.primary}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open_bytes(self, token: str, aad: str) -> bytes:
        """Decrypt bytes. Raises CiphertextRefused when key, row or bytes do not fit."""
        key_id, _, body = token.partition(".")
        key = self.keys.get(key_id)
        if key is None:
            message = "sealed with a key that is not on the ring"
            raise CiphertextRefused(message)
        try:
            raw = base64.urlsafe_b64decode(body)
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], aad.encode())
        except (InvalidTag, ValueError) as error:
            message = "the sealed value does not belong to this row or was altered"
            raise CiphertextRefused(message) from error

    def fingerprint(self, text: str) -> str:
        """Return a keyed hash for exact look-ups; equal texts give equal fingerprints."""
        return hmac.new(self.index_key, text.encode(), hashlib.sha256).hexdigest()
