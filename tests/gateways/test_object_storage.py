"""Files in a bucket of a real S3-compatible server, asked over a socket."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from seedtrust.core.errors import NotFound, Unavailable
from seedtrust.domain.documents.ports import Storage
from seedtrust.gateways.objects import Bucket, ObjectStorage

CONTENT = b"A receipt over 62.15"
KEY = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Give the address of a server of this module's own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str) -> Bucket:
    """Return an empty bucket."""
    found = Bucket.from_url(
        "s3://papers/case/files", endpoint=server, access_key="ours", secret_key="well kept"
    )
    client = client_of(found)
    client.create_bucket(Bucket="papers")
    for held in client.list_objects_v2(Bucket="papers").get("Contents", []):
        client.delete_object(Bucket="papers", Key=held["Key"])
    return found


def client_of(bucket: Bucket):  # type: ignore[no-untyped-def]  # noqa: ANN201 - boto3 has no types
    return boto3.session.Session().client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
    )


def names_in(bucket: Bucket) -> list[str]:
    """Return the names of all objects."""
    held = client_of(bucket).list_objects_v2(Bucket=bucket.name).get("Contents", [])
    return [one["Key"] for one in held]


def test_what_is_put_comes_back_and_lies_under_its_hash(bucket: Bucket) -> None:
    storage: Storage = ObjectStorage(bucket)
    storage.put(KEY, CONTENT)
    storage.put(KEY, CONTENT)
    assert storage.get(KEY) == CONTENT
    assert names_in(bucket) == [f"case/files/{KEY[:2]}/{KEY}"]


def test_a_missing_file_is_told_from_a_server_that_does_not_answer(bucket: Bucket) -> None:
    with pytest.raises(NotFound):
        ObjectStorage(bucket).get(KEY)
    elsewhere = Bucket.from_url(
        "s3://no-such-bucket", endpoint=bucket.endpoint, access_key="a", secret_key="b"
    )
    with pytest.raises(Unavailable) as refusal:
        ObjectStorage(elsewhere).put(KEY, CONTENT)
    assert "Nothing was changed" in refusal.value.detail
    nobody = Bucket.from_url(
        "s3://papers", endpoint="http://127.0.0.1:9", access_key="a", secret_key="b"
    )
    with pytest.raises(Unavailable):
        ObjectStorage(nobody).put(KEY, CONTENT)
    with pytest.raises(Unavailable):
        ObjectStorage(nobody).get(KEY)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, KEY + "0", KEY[:-1] + "/"])
def test_a_key_that_is_no_hash_never_reaches_the_server(bucket: Bucket, key: str) -> None:
    storage = ObjectStorage(bucket)
    with pytest.raises(ValueError, match="SHA-256"):
        storage.put(key, CONTENT)
    with pytest.raises(ValueError, match="SHA-256"):
        storage.get(key)
    assert names_in(bucket) == []


@pytest.mark.parametrize("url", ["", "s3://", "file:///x", "s3:///x", "s3://b/x?y", "https://b/x"])
def test_only_buckets_name_a_bucket(url: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        Bucket.from_url(url)
