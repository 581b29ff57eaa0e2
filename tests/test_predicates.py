"""Predicates: the grammar of --where, on truth and on probabilities."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganutils import Error
from ganutils.samples import predicates

NAMES = ["Smiling", "Male", "5_o_Clock_Shadow", "hot air balloon", "teddy-bear", "7", "T-shirt/top", "a & b"]
COMPARISONS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
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

    compared = st.tuples(LEAVES, st.sampled_from([*COMPARISONS]), st.sampled_from(["0", "0.25", ".5", "1"]))
    leaves = st.one_of(
        LEAVES.map(lambda leaf: (leaf[0], lambda v: v[leaf[1]])),
        compared.map(lambda c: (f"{c[0][0]} {c[1]}{c[2]}", lambda v: COMPARISONS[c[1]](v[c[0][1]], float(c[2])))),
    )
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


def test_a_number_is_compared_as_attributes_are_kept():
    values = {"age": np.array([0.35, 0.65, 0.7], np.float32)}
    assert predicates.parse("age > 0.65", values).holds(values).tolist() == [False, False, True]
    assert predicates.parse("~(age<=0.35) & age<=0.65", values).holds(values).tolist() == [False, True, False]


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
        ("Male > ", "expected a number such as 0.65 at the end"),
        ("Male < Smiling", "expected a number such as 0.65 at 'Smiling' (character 8)"),
        ("Male < -1", "expected a number such as 0.65 at '-1'"),
        ("0.5 < Male", "'0.5' is not known"),
        ("Male < 1 < 1", "expected & or | at '<'"),
        ("(Male) > 1", "expected & or | at '>'"),
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
