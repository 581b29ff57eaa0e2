"""Predicates: the grammar of --where, on truth and on probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganutils import Error
from ganutils.samples import predicates

NAMES = ["Smiling", "Male", "5_o_Clock_Shadow", "hot air balloon", "teddy-bear", "7", "T-shirt/top", "a & b"]
LEAVES = st.sampled_from(NAMES).map(lambda name: (f'"{name}"' if "&" in name else name, name))


def test_the_example_of_the_readme():
    values = {"Smiling": np.array([1, 1, 0, 0]), "Male": np.array([0, 1, 0, 1])}
    smiling_women = predicates.parse("Smiling & ~Male", values)
    assert smiling_women.holds(values).tolist() == [True, False, False, False]
    assert smiling_women.names == ("Smiling", "Male")


@st.composite
def trees(draw):
    """A predicate's text, and what it is worth as Python computes it."""

    def join(children):
        pair = st.tuples(children, children)
        return st.one_of(
            children.map(lambda c: (f"~({c[0]})", lambda v: 1 - c[1](v))),
            pair.map(lambda p: (f"({p[0][0]} & {p[1][0]})", lambda v: min(p[0][1](v), p[1][1](v)))),
            pair.map(lambda p: (f"({p[0][0]}|{p[1][0]})", lambda v: max(p[0][1](v), p[1][1](v)))),
        )

    leaves = LEAVES.map(lambda leaf: (leaf[0], lambda v: v[leaf[1]]))
    return draw(st.recursive(leaves, join, max_leaves=12))


@given(trees(), st.lists(st.floats(0, 1, width=32), min_size=len(NAMES), max_size=len(NAMES)))
def test_it_is_worth_what_python_computes(tree, numbers):
    text, expected = tree
    values = dict(zip(NAMES, numbers, strict=True))
    arrays = {name: np.array([value]) for name, value in values.items()}
    assert predicates.parse(text, NAMES)(arrays)[0] == expected(values)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("7 | Male & Smiling", "7 | (Male & Smiling)"),
        ("~Male & Smiling", "(~Male) & Smiling"),
        ("~~Male", "Male"),
        ("  hot air balloon|teddy-bear ", "'teddy-bear' | \"hot air balloon\""),
        ("smiling & MALE", "Smiling & Male"),
    ],
)
def test_precedence_and_spelling(text, same):
    values = {name: np.array([i >> k & 1 for i in range(256)]) for k, name in enumerate(NAMES)}
    assert np.array_equal(predicates.parse(text, NAMES)(values), predicates.parse(same, NAMES)(values))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a name, ~ or ( at the end"),
        ("Smiling &", "expected a name, ~ or ( at the end"),
        ("(Smiling", "expected &, | or ) at the end"),
        ("Smiling) & Male", "expected & or | at ')' (character 8)"),
        ("Smiling & | Male", "at '|' (character 11)"),
        ("Smilling", "did you mean Smiling?"),
        ("Moustache", "choose from Smiling, Male"),
        ("balloon", "did you mean hot air balloon?"),
        ("__import__('os')", "not known"),
        ("~" * 10_000 + "Male", "nested too deeply"),
        ("(" * 10_000 + "Male", "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(Error) as problem:
        predicates.parse(text, NAMES)
    assert said in str(problem.value)


@given(st.text())
def test_any_text_parses_or_is_an_error(text):
    try:
        parsed = predicates.parse(text, NAMES)
    except Error as problem:
        assert "\n" not in str(problem)
        return
    worth = parsed({name: np.array([0.0, 0.3, 1.0]) for name in NAMES})
    assert set(parsed.names) <= set(NAMES)
    assert (worth >= 0).all()
    assert (worth <= 1).all()
