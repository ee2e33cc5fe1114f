"""Served files: addresses that change with the bytes, a year of caching, nothing else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from flask import Flask
from fontTools.ttLib import TTFont

from seedtrust.core.locations import templates_folder
from seedtrust.web import assets, font_subset
from seedtrust.web.assets import OWN, SOURCES, AssetRegistry, Source, asset_tag, asset_url
from tests.web.kit_app import make_kit_app

NAMES = [source.name for source in SOURCES]


@pytest.fixture
def app() -> Flask:
    return make_kit_app()


def url_of(app: Flask, name: str) -> str:
    with app.test_request_context("/"):
        return asset_url(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_registered_file_is_served_as_it_is_for_a_year(app: Flask, name: str) -> None:
    response = app.test_client().get(url_of(app, name))

    assert response.status_code == 200
    assert response.data == AssetRegistry(SOURCES)[name].body
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" not in response.headers.get("Vary", "")
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("name", NAMES)
def test_the_address_and_the_integrity_come_from_the_bytes(app: Flask, name: str) -> None:
    body = app.test_client().get(url_of(app, name)).data
    asset = AssetRegistry(SOURCES)[name]
    digest = hashlib.sha256(body)

    assert asset.digest == digest.hexdigest()[:16]
    assert asset.integrity == "sha256-" + base64.b64encode(digest.digest()).decode()


@pytest.mark.parametrize("name", ["seedtrust.css", "bootstrap.css", "htmx.js", "mark.svg"])
def test_text_is_sent_compressed_to_those_who_take_it(app: Flask, name: str) -> None:
    response = app.test_client().get(url_of(app, name), headers={"Accept-Encoding": "br, gzip"})

    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(response.data) == AssetRegistry(SOURCES)[name].body


def test_fonts_are_not_compressed_twice(app: Flask) -> None:
    response = app.test_client().get(
        url_of(app, "inter.woff2"), headers={"Accept-Encoding": "gzip"}
    )

    assert "Content-Encoding" not in response.headers
    assert response.content_type == "font/woff2"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/0000000000000000/seedtrust.css",
        "/assets/{digest}/unknown.css",
        "/assets/{digest}/../seedtrust.css",
        "/assets/{digest}/..%2fassets.py",
        "/assets/{digest}/",
        "/assets/seedtrust.css",
    ],
)
def test_an_unknown_hash_or_name_is_not_found(app: Flask, path: str) -> None:
    digest = AssetRegistry(SOURCES)["seedtrust.css"].digest

    assert app.test_client().get(path.format(digest=digest)).status_code == 404


def test_a_style_sheet_names_its_fonts_by_their_hashed_address(app: Flask) -> None:
    client = app.test_client()
    css = client.get(url_of(app, "seedtrust.css")).text
    fonts = re.findall(r'url\("\.\./([^"]+)"\)', css)

    assert {font.partition("/")[2] for font in fonts} == {"inter.woff2", "inter-ext.woff2"}
    assert all(client.get(f"/assets/{font}").status_code == 200 for font in fonts)
    assert "asset(" not in css


def test_elements_carry_what_their_kind_needs(app: Flask) -> None:
    with app.test_request_context("/"):
        registry = app.extensions["seedtrust_assets"]
        css, script = asset_tag("seedtrust.css"), asset_tag("seedtrust.js")

        assert f'integrity="{registry["seedtrust.css"].integrity}"' in css
        assert css.startswith('<link rel="stylesheet"')
        assert script.endswith(" defer></script>")
        assert "crossorigin" in asset_tag("inter.woff2")
        assert 'rel="icon"' in asset_tag("mark.svg")


def test_an_unregistered_name_is_an_error_and_not_a_dead_link(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(KeyError):
        asset_url("missing.css")


def test_a_missing_file_stops_the_start() -> None:
    with pytest.raises(FileNotFoundError):
        AssetRegistry([Source("lost.css", OWN, "lost.css")])


def test_another_package_may_add_files() -> None:
    app = Flask("more", static_folder=None)
    assets.init_assets(app, [Source("again.svg", OWN, "mark.svg")])

    assert app.test_client().get(url_of(app, "again.svg")).content_type == "image/svg+xml"
    assert len(app.extensions["seedtrust_assets"]) == len(SOURCES) + 1


def test_no_page_template_names_another_host_or_carries_style_or_script_of_its_own() -> None:
    pages = [path for path in templates_folder().rglob("*.html") if path.parent.name != "mail"]
    code = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
    forbidden = re.compile(r"https?://|\bstyle=|<style|<script|\bon[a-z]+=|javascript:|hx-on")
    found = {
        path.name: forbidden.findall(code.sub("", path.read_text(encoding="utf-8")))
        for path in pages
    }

    assert len(pages) > 10
    assert {name: places for name, places in found.items() if places} == {}


def test_our_own_style_sheet_and_script_name_no_host_and_evaluate_nothing() -> None:
    static = Path(assets.__file__).parent / "static"

    for name in ("seedtrust.css", "seedtrust.js"):
        text = (static / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text
        assert "eval(" not in text
        assert ".style" not in text


@pytest.mark.parametrize(
    "name, present, absent",
    [("inter.woff2", "SeéñÅ$€−–…→", "Łđ"), ("inter-ext.woff2", "Łđầọż", "S$")],
)
def test_the_committed_fonts_hold_the_letters_names_need(
    name: str, present: str, absent: str
) -> None:
    font = TTFont(Path(assets.__file__).parent / "static" / "fonts" / name)
    letters = font.getBestCmap()

    assert [letter for letter in present if ord(letter) not in letters] == []
    assert [letter for letter in absent if ord(letter) in letters] == []
    assert [(axis.axisTag, axis.minValue, axis.maxValue) for axis in font["fvar"].axes] == [
        ("wght", 400, 700)
    ]


def test_the_font_comes_with_its_licence_and_tabular_figures() -> None:
    folder = Path(assets.__file__).parent / "static" / "fonts"
    font = TTFont(folder / "inter.woff2")
    features = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}

    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text()
    assert "Reserved Font Name" not in (folder / "OFL.txt").read_text().partition("PREAMBLE")[0]
    assert "tnum" in features


def test_the_font_can_be_made_again(tmp_path: Path) -> None:
    source = Path(str(distribution("fontpkg-inter").locate_file(font_subset.SOURCE)))
    target = tmp_path / "digits.woff2"

    font_subset.build(source, "U+0030-0039", target)

    assert 0 < target.stat().st_size < 10_000
