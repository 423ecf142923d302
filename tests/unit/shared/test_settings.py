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
