"""Settings tell every fault at once."""

import pytest

from shared.settings import Settings, SettingsFaulty


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsFaulty) as faults:
        Settings.from_env(
            {"APOTHECA_PORT": "70000", "APOTHECA_TRANSPORT": "pigeon", "APOTHECA_FEEDS": "finance=ftp://x"}
        )
    told = str(faults.value)
    assert all(name in told for name in ("DATABASE_URL", "PORT", "TRANSPORT", "FEEDS"))


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "url").write_text("postgresql+psycopg://x/y\n")
    settings = Settings.from_env(
        {
            "APOTHECA_DATABASE_URL_FILE": str(tmp_path / "url"),
            "APOTHECA_FEEDS": "finance=http://f:1/, returns=http://r",
        }
    )
    assert settings.database_url == "postgresql+psycopg://x/y"
    assert settings.feeds == {"finance": "http://f:1", "returns": "http://r"}


def test_amqp_needs_its_url():
    with pytest.raises(SettingsFaulty, match="AMQP_URL"):
        Settings.from_env({"APOTHECA_DATABASE_URL": "x", "APOTHECA_TRANSPORT": "amqp"})


def test_a_private_authority_becomes_part_of_the_url_it_belongs_to(tmp_path):
    (tmp_path / "ca.pem").write_text("…")
    given = {
        "APOTHECA_DATABASE_URL": "postgresql+psycopg://x/y?application_name=z",
        "APOTHECA_DATABASE_CA": str(tmp_path / "ca.pem"),
        "APOTHECA_AMQP_URL": "amqps://u:p@h/v",
        "APOTHECA_AMQP_CA": str(tmp_path / "ca.pem"),
    }
    settings = Settings.from_env(given)
    assert settings.database_url.startswith(
        "postgresql+psycopg://x/y?application_name=z&sslmode=verify-full&"
    )
    assert settings.amqp_url is not None
    assert settings.amqp_url.startswith("amqps://u:p@h/v?cacertfile=%2F")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"APOTHECA_AMQP_CA": "/nowhere.pem"}, "APOTHECA_AMQP_CA: cannot read /nowhere.pem"),
        ({"APOTHECA_DATABASE_CA": "/nowhere.pem"}, "APOTHECA_DATABASE_CA: cannot read /nowhere.pem"),
        ({"APOTHECA_AMQP_CA": __file__, "APOTHECA_AMQP_URL": "amqp://h"}, "must begin with amqps://"),
        (
            {"APOTHECA_DATABASE_CA": __file__, "APOTHECA_DATABASE_URL": "x://y?sslmode=require"},
            "an sslmode of its own",
        ),
    ],
)
def test_an_authority_that_would_not_be_asked_is_a_fault(changed, told):
    given = {"APOTHECA_DATABASE_URL": "x://y", "APOTHECA_AMQP_URL": "amqps://h", **changed}
    with pytest.raises(SettingsFaulty, match=told):
        Settings.from_env(given)
