"""Dagster renders YAML strings with Jinja's native types; ours stay what was written."""

import pytest

from ddb_assets.components import DynamoDBTablesComponent

TEXTS = ["123456789012", "1e5", "1_000", "0x10", "None", "True", "1.0", "'q'", "(1, 2)"]


def load(text):
    """The component of these attributes."""
    return DynamoDBTablesComponent.resolve_from_yaml("database: raw\nbucket: b\n" + text)


@pytest.mark.parametrize("text", TEXTS)
def test_quoted_text_that_looks_like_a_value_stays_text(text):
    """As a name, in a mapping, in a list and in a nested form."""
    made = load(
        f'tables: ["{text}", {{name: "{text}", tags: {{a: "{text}"}}, owners: ["{text}"]}}]\n'
        f'defaults: {{kms_key_id: "{text}"}}\n'
    )
    assert made.tables[0] == text
    assert made.tables[1].name == text
    assert made.tables[1].tags == {"a": text}
    assert made.tables[1].owners == [text]
    assert made.defaults.kms_key_id == text


def test_an_account_id_may_come_from_a_template(monkeypatch):
    """Rendered, it is a number to Jinja."""
    monkeypatch.setenv("OWNER", "123456789012")
    made = load("tables: [{name: orders, bucket_owner: \"{{ env('OWNER') }}\"}]\n")
    assert made.tables[0].bucket_owner == "123456789012"


def test_an_account_id_without_quotes_is_refused():
    """YAML reads 012345670123 as an octal number: another account."""
    with pytest.raises(Exception, match="valid string"):
        load("tables: [{name: orders, bucket_owner: 123456789012}]\n")
