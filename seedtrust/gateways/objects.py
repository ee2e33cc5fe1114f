"""Files in a bucket of an S3-compatible server, under the same keys as in a local folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from seedtrust.core.errors import NotFound, Unavailable
from seedtrust.core.failpoints import reach

_KEY: Final = re.compile(r"[0-9a-f]{64}")
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 30


@dataclass(frozen=True)
class Bucket:
    """Where the bucket is and who we are there; without an endpoint it is Amazon's own."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""

    @classmethod
    def from_url(cls, url: str, **known: str) -> Bucket:
        """Return the bucket of `s3://bucket/prefix`. Raises ValueError for another address."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
            message = f"a bucket is named s3://bucket/prefix, not {url!r}"
            raise ValueError(message)
        return cls(parts.netloc, parts.path.strip("/"), **known)


class ObjectStorage:
    """Keeps bytes under their SHA-256 in a bucket; the server checks the hash of what it takes."""

    def __init__(self, bucket: Bucket) -> None:
        """Take the bucket; nothing is asked before the first file comes."""
        # Slow to import, and only installations with a bucket need it.
        import boto3  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

        self._bucket = bucket
        self._refused: Any = ClientError
        self._failed: Any = (BotoCoreError, ClientError)
        self._objects: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=bucket.endpoint or None,
            region_name=bucket.region,
            aws_access_key_id=bucket.access_key or None,
            aws_secret_access_key=bucket.secret_key or None,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 3},
                # Servers of one's own seldom have a name for each bucket.
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            ),
        )

    def put(self, key: str, content: bytes) -> None:
        """Keep the content for good. Raises Unavailable when the server does not confirm it."""
        place = self._place(key)
        reach("storage.before_write")
        try:
            self._objects.put_object(
                Bucket=self._bucket.name,
                Key=place,
                Body=content,
                ChecksumAlgorithm="SHA256",
                ContentType="application/octet-stream",
            )
        except self._failed as error:
            raise _unavailable() from error
        reach("storage.in_place")

    def get(self, key: str) -> bytes:
        """Return the content. Raises NotFound, or Unavailable when the server does not answer."""
        reach("storage.before_read")
        try:
            answer = self._objects.get_object(Bucket=self._bucket.name, Key=self._place(key))
            content: bytes = answer["Body"].read()
        except self._refused as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                raise NotFound("The file is missing in the storage. Tell SeedTrust.") from None
            raise _unavailable() from error
        except self._failed as error:
            raise _unavailable() from error
        reach("storage.read")
        return content

    def _place(self, key: str) -> str:
        # Keys come from hashes; anything else could name a place outside the prefix.
        if not _KEY.fullmatch(key):
            message = f"a storage key is a SHA-256 in hex, not {key!r}"
            raise ValueError(message)
        return "/".join(part for part in (self._bucket.prefix, key[:2], key) if part)


def _unavailable() -> Unavailable:
    return Unavailable("Files cannot be stored or read right now. Nothing was changed; try again.")
