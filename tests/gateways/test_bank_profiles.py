"""A bank's profile is checked before the first call, and every fault in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrust.gateways.profile import ProfileRefused, load_profile, packaged_profiles

NEUTRAL = Path("seedtrust/gateways/profiles/neutral.toml")


@pytest.mark.parametrize("name", packaged_profiles())
def test_every_packaged_profile_is_good(name: str) -> None:
    assert load_profile(name).name


@pytest.mark.parametrize(
    "old,new,words",
    [
        ('payment = "/v1/payments/{id}"', 'payment = "/v1/payments"', "paths.payment: "),
        ('amounts = "cents"', 'amounts = "dollars"', "amounts: "),
        ('path = "/oauth/token"', 'path = "oauth"', "token.path: "),
        ('settled = "settled"', 'settled = "done"', "words.statuses.settled: "),
        ('settled = "settled"', "", "words: statuses has no word for settled"),
        ('wire = "wire"', "", "words: rails lacks wire"),
        ('memo = "memo"', "", "create.memo: field required"),
        ("burst = 200", "burst = 0", "limits.burst: "),
        ("burst = 200", "brust = 200", "limits.brust: "),
        ('name = "Neutral interface"', 'name = "', "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_profile_is_named(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    text = NEUTRAL.read_text()
    assert old in text
    path = tmp_path / "bank.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ProfileRefused) as refusal:
        load_profile(str(path))
    assert words in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_profile_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefused, match="neutral"):
        load_profile("nowhere")
    with pytest.raises(ProfileRefused, match="cannot be read"):
        load_profile(str(tmp_path / "nowhere.toml"))
