"""gan-data with tables: attributes and labels of pictures."""

import csv

import pytest
from pictures import flat, levels


def test_a_csv_of_attributes(made, folder, tmp_path):
    folder({"x/1.png": flat(1), "x/2.png": flat(2), "3.png": flat(3), "4.png": flat(4)})
    rows = [["file", "Big Nose", "age", "hat", "angle"], ["1.jpg", 1, 30, "True", 0.5], ["x/2.png", -1, 40, "False", 0]]
    rows += [["3.png", 1, 50, "true", 1], ["9.png", -1, 60, "no", 0]]
    with open(tmp_path / "t.csv", "w", newline="") as out:
        csv.writer(out, delimiter=";").writerows(rows)
    meta, tensors, lines = made("pics", "--attributes", "t.csv")
    assert meta["attributes"] == ["Big Nose", "hat", "angle"]
    assert tensors["attributes"].tolist() == [[1, 1, 1], [1, 1, 0.5], [0, 0, 0]]
    assert levels(tensors) == [3, 1, 2]
    assert lines[:3] == [
        "t.csv: skipped columns that are not in 0..1: age (30 in row 1, 1.jpg)",
        "pics: skipped 1 pictures without a row in t.csv",
        "t.csv: 1 rows without a picture",
    ]
    assert levels(made("pics", "--attributes", "t.csv", "--where", "Big Nose & angle")[1]) == [3]


def test_one_row_for_two_pictures_is_refused(fails, folder, tmp_path):
    folder({"a/1.png": flat(1), "b/1.png": flat(2)})
    (tmp_path / "t.csv").write_text("name,x\n1.png,1\n")
    assert "a/1.png and b/1.png match the same row" in fails("gan-data", "pics", "--attributes", "t.csv", "-o", "x.npy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2\nA B\n1.png 1\n", "row 1 (1.png) has 1 values for 2"),
        ("name,A,A\n1.png,1,1\n", "names an attribute twice"),
        ("name,A\n1.png,1\n1.png,1,1\n", "row 2 (1.png) has 2 values"),
        ("name,A\n1.png,old\n", "no column holds"),
    ],
)
def test_tables_that_are_none(fails, folder, tmp_path, text, said):
    folder({"1.png": flat(1)})
    (tmp_path / "t.csv").write_text(text)
    assert said in fails("gan-data", "pics", "--attributes", "t.csv", "-o", "x.npy")


# ------------------------------------------------------------------------------------------ labels from a table


ANIMALS = {"1.png": flat(1), "2.png": flat(2), "3.png": flat(3), "x/4.png": flat(4)}


def test_labels_from_a_column_of_words(made, folder, tmp_path):
    folder(ANIMALS)
    (tmp_path / "t.csv").write_text("file;Kind;size\n4.png;cat 10;0,5\n2.png;cat 2;1\n1.jpg;cat 10;\n3.png;;0,25\n")
    meta, tensors, lines = made("pics", "--attributes", "t.csv", "--labels", "kind")
    assert meta["classes"] == ["cat 2", "cat 10"]
    assert (levels(tensors), tensors["labels"].tolist()) == ([1, 2, 4], [1, 0, 1])
    assert (meta["attributes"], tensors["attributes"].tolist()) == (["size"], [[0.5], [1], [0.5]])
    assert lines[:2] == [
        "t.csv: 1 empty cells count as unknown (0.5)",
        "pics: skipped 1 pictures whose Kind is empty",
    ]
    assert levels(made("pics", "--attributes", "t.csv", "--labels", "Kind", "--where", "cat 2 & size")[1]) == [2]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("f,Kind\n1.png,cat\n", ["--labels", "kinds"], "t.csv: column 'kinds' is not known; did you mean Kind?"),
        ("f,Kind\n1.png,\n", ["--labels", "Kind"], "t.csv: Kind is empty for every picture in pics"),
        ("f,hat\n1.png,1\n2.png,0\n1.png,0\n", [], "t.csv: rows 1 and 3 are both for 1.png; remove one"),
        ("f,hat\n1.png,1\n./1.png,0\n", [], "t.csv: rows 1 and 2 are both for ./1.png; remove one"),
        ("f,hat\n1,1\n1.png,0\n", [], "t.csv: rows 1 and 2 are both for 1.png; remove one"),
        (
            "f,hat\na/3.jpg,1\nb/3.jpg,0\n",
            [],
            "t.csv: rows 1 and 2 both match 3.png; write its path, or its name, in one",
        ),
        ("f,hat\n1.png,1\n2.png,x\n", [], "numbers between: hat (x in row 2, 2.png); --labels takes a column of words"),
        ("f,hat\n1.png,-1\n2.png,0.5\n", [], "hat (0.5 in row 2, 2.png)"),
    ],
)
def test_a_table_that_is_wrong_names_the_row(fails, folder, tmp_path, text, words, said):
    folder(ANIMALS)
    (tmp_path / "t.csv").write_text(text)
    assert said in fails("gan-data", "pics", "--attributes", "t.csv", *words, "-o", "x.npy")


def test_labels_need_a_table(fails):
    line = fails("gan-data", "digits", "--labels", "Kind", "-o", "x.npy", code=2)
    assert "--labels has no effect without --attributes" in line
