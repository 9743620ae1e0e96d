"""The page on universal data models says what is so."""

import re
from pathlib import Path

from gateway.udm import MODELS, load_models
from gateway.udm.fields import SHAPES, WORDS
from gateway.udm.shapes import shapes

PAGE = (Path(__file__).parents[2] / "docs" / "universal-data-models.md").read_text(encoding="utf-8")


def test_every_model_is_in_the_table_with_its_type_and_its_fallbacks():
    rows = re.findall(r"^\| `([a-z-]+)` \| `(Unified\w+)` \| (.+?) \|(.*)\|$", PAGE, flags=re.MULTILINE)

    assert [(key, type_, text, re.findall(r"`(\S+)`", fallbacks)) for key, type_, text, fallbacks in rows] == [
        (key, shapes(MODELS)[key].name, model.description, list(model.fallbacks)) for key, model in MODELS.items()
    ]


def test_the_file_that_is_shown_is_right(tmp_path):
    (tmp_path / "models.yaml").write_text(re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)[0], encoding="utf-8")

    models = load_models([tmp_path / "models.yaml"])

    assert sorted(set(models) - set(MODELS)) == ["tickets"]
    assert [field.sibling for field in shapes(models)["tickets"].fields if field.sibling] == [
        *["reporter", "solver", "createdByUser", "updatedByUser"]
    ]


def test_every_word_of_the_notation_is_explained():
    notation = PAGE.split("| Notation | What |")[1].split("\n\n")[0]

    assert [word for word in (*WORDS, *SHAPES) if f"`{word}`" not in notation] == []
