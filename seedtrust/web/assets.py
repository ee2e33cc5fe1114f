"""The registry of served files: logical name, where it comes from, the hash in its address."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response, abort, current_app, request, url_for
from markupsafe import Markup

CACHE_SECONDS: Final = 365 * 24 * 60 * 60
OWN: Final = "seedtrust"
CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

_ELEMENTS: Final = {
    ".css": Markup('<link rel="stylesheet" href="{href}" integrity="{integrity}">'),
    ".js": Markup('<script src="{href}" integrity="{integrity}" defer></script>'),
    ".woff2": Markup('<link rel="preload" as="font" type="font/woff2" href="{href}" crossorigin>'),
    ".svg": Markup('<link rel="icon" type="image/svg+xml" href="{href}">'),
}
_COMPRESSED: Final = (".css", ".js", ".svg")
_DIGEST_LENGTH: Final = 16
_REFERENCE: Final = re.compile(r"asset\((?P<name>[a-z0-9.-]+)\)")


@dataclass(frozen=True)
class Source:
    """Where a served file lives: a distribution and a path in it, or a path in our own package."""

    name: str
    distribution: str
    path: str

    def read(self) -> bytes:
        """Return the file's bytes; raises FileNotFoundError or PackageNotFoundError."""
        if self.distribution == OWN:
            return files("seedtrust.web").joinpath("static", self.path).read_bytes()
        return Path(str(distribution(self.distribution).locate_file(self.path))).read_bytes()


# A file that another one names by asset(...) stands above it.
SOURCES: Final = (
    Source(
        "bootstrap.css",
        "bootstrap-flask",
        "flask_bootstrap/static/bootstrap5/css/bootstrap.min.css",
    ),
    Source("popper.js", "bootstrap-flask", "flask_bootstrap/static/bootstrap5/umd/popper.min.js"),
    Source(
        "bootstrap.js", "bootstrap-flask", "flask_bootstrap/static/bootstrap5/js/bootstrap.min.js"
    ),
    Source("htmx.js", "django-js-lib-htmx", "js_lib_htmx/static/htmx/htmx.min.js"),
    Source("swagger-ui.css", "flask-swagger-ui", "flask_swagger_ui/dist/swagger-ui.css"),
    Source("swagger-ui.js", "flask-swagger-ui", "flask_swagger_ui/dist/swagger-ui-bundle.js"),
    Source("api-docs.js", OWN, "api-docs.js"),
    Source("inter.woff2", OWN, "fonts/inter.woff2"),
    Source("inter-ext.woff2", OWN, "fonts/inter-ext.woff2"),
    Source("mark.svg", OWN, "mark.svg"),
    Source("seedtrust.css", OWN, "seedtrust.css"),
    Source("seedtrust.js", OWN, "seedtrust.js"),
)


@dataclass(frozen=True)
class Asset:
    """One served file with everything its answer needs."""

    name: str
    body: bytes = field(repr=False)
    digest: str = field(init=False)
    integrity: str = field(init=False)

    def __post_init__(self) -> None:
        """Work out the address part and the integrity attribute from the bytes."""
        raw = hashlib.sha256(self.body).digest()
        object.__setattr__(self, "digest", raw.hex()[:_DIGEST_LENGTH])
        object.__setattr__(self, "integrity", "sha256-" + base64.b64encode(raw).decode("ascii"))

    @property
    def suffix(self) -> str:
        """Return the end of the name, with its dot."""
        return Path(self.name).suffix

    @property
    def content_type(self) -> str:
        """Return the media type to answer with."""
        return CONTENT_TYPES[self.suffix]

    @cached_property
    def compressed(self) -> bytes | None:
        """Return the body gzipped, or None where the format is compressed already."""
        return gzip.compress(self.body, 9, mtime=0) if self.suffix in _COMPRESSED else None


class AssetRegistry(Mapping[str, Asset]):
    """Served files by logical name; `asset(name)` inside a file becomes that file's address."""

    def __init__(self, sources: Iterable[Source]) -> None:
        """Read every source once; raises FileNotFoundError when one is missing."""
        self._assets: dict[str, Asset] = {}
        self.sources = tuple(sources)
        for source in self.sources:
            body = source.read()
            if source.distribution == OWN and source.name.endswith((".css", ".js")):
                body = _REFERENCE.sub(self._relative_address, body.decode()).encode()
            self._assets[source.name] = Asset(source.name, body)

    def _relative_address(self, match: re.Match[str]) -> str:
        return f"../{self._assets[match['name']].digest}/{match['name']}"

    def __getitem__(self, name: str) -> Asset:
        """Return the asset of a logical name; raises KeyError for an unknown one."""
        return self._assets[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the logical names in order of registration."""
        return iter(self._assets)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._assets)


@cache
def _registry(sources: tuple[Source, ...]) -> AssetRegistry:
    # One process may make many applications; the files do not change between them.
    return AssetRegistry(sources)


def registry() -> AssetRegistry:
    """Return the current application's registry."""
    found: AssetRegistry = current_app.extensions["seedtrust_assets"]
    return found


def asset_url(name: str) -> str:
    """Return the address of a served file; raises KeyError for a name that is not registered."""
    return url_for("assets.serve", digest=registry()[name].digest, name=name)


def asset_tag(name: str) -> Markup:
    """Return the element that loads a file: style sheet, deferred script, font or page icon."""
    asset, href = registry()[name], asset_url(name)
    return _ELEMENTS[asset.suffix].format(href=href, integrity=asset.integrity)


def serve(digest: str, name: str) -> Response:
    """Answer with a file that may be kept for a year, since its address changes with its bytes."""
    asset = registry().get(name)
    if asset is None or asset.digest != digest:
        abort(404)
    body = asset.compressed if request.accept_encodings.quality("gzip") else None
    response = Response(body or asset.body, content_type=asset.content_type)
    if body:
        response.content_encoding = "gzip"
    if asset.compressed:
        response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.max_age = CACHE_SECONDS
    response.cache_control.immutable = True
    return response


def init_assets(app: Flask, extra: Iterable[Source] = ()) -> None:
    """Register the blueprint `assets`, and `asset_url` and `asset_tag` for templates."""
    app.extensions["seedtrust_assets"] = _registry((*SOURCES, *extra))
    blueprint = Blueprint("assets", __name__, url_prefix="/assets")
    blueprint.add_url_rule("/<digest>/<name>", "serve", serve)
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(asset_url=asset_url, asset_tag=asset_tag)
