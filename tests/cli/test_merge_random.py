"""Merging random databases that have drifted apart: the target holds what the oracle of tests/merging.py says, or is unchanged.

    PGFOLD_SEEDS=300 tools/run-tests --no-unit -- tests/cli/test_merge_random.py     (make test-random)
    PGFOLD_SEED=17 tools/run-tests --no-unit -- tests/cli/test_merge_random.py       one case again
"""
import os

import pytest

import merging
import merging_cases
from folding import assert_same, whole

if "PGFOLD_SEED" in os.environ:
    SEEDS = [int(os.environ["PGFOLD_SEED"])]
else:
    SEEDS = range(int(os.environ.get("PGFOLD_SEEDS", "8")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_merge_does_what_the_oracle_says(pair, seed):
    case = merging_cases.generate(seed)
    case.load(pair.source.create(), "source")
    case.load(pair.target.create(), "target")
    pair.configure(case.config())
    try:
        fold_and_compare(pair, case)
    except AssertionError as error:
        raise AssertionError(f"{case}\nagain: PGFOLD_SEED={seed} tools/run-tests --no-unit -- tests/cli/test_merge_random.py\n{error}") from error


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % 5 == 0 or len(SEEDS) != 8])
def test_a_merge_into_another_schema_does_what_the_oracle_says(pair, seed):
    """All that the source holds is in its public, and its rows belong into the target's "app x"; the target's public has tables
    of the same names that nothing may touch."""
    case = merging_cases.generate(seed, ("app x",))
    case.load(pair.source.create(), "source")
    pair.source.sql('ALTER TYPE public.mood SET SCHEMA "app x"; ALTER FUNCTION public.meddle() SET SCHEMA "app x"')
    case.load(pair.target.create(), "target")
    pair.target.sql('ALTER TYPE public.mood SET SCHEMA "app x"; ALTER FUNCTION public.meddle() SET SCHEMA "app x"')
    source, sequences = merging.read(pair.source, case.tables), merging.sequences(pair.source)
    pair.source.sql('DROP SCHEMA public; ALTER SCHEMA "app x" RENAME TO public')
    for table in case.tables:
        pair.target.sql(f"CREATE TABLE public.{merging.quote(table.name)} AS SELECT 4711 AS id")
    pair.configure("    into: { schema: app x }\n" + case.config("public"))
    try:
        fold_and_compare(pair, case, source, sequences)
    except AssertionError as error:
        raise AssertionError(f"{case}\nagain: PGFOLD_SEED={seed} tools/run-tests --no-unit -- tests/cli/test_merge_random.py\n{error}") from error
    for table in case.tables:
        assert pair.target.sql(f"SELECT id FROM public.{merging.quote(table.name)}") == "4711"


def fold_and_compare(pair, case, source=None, source_sequences=None):
    tables, pgfold = case.tables, pair.pgfold
    source = source or merging.read(pair.source, tables)
    source_sequences = source_sequences or merging.sequences(pair.source)
    target = merging.read(pair.target, tables, target=True)
    source_before, target_before = whole(pair.source), whole(pair.target)
    sequences, writers = merging.sequences(pair.target), merging.writers(pair.target, tables)
    verdict = merging.judge(tables, source, target)

    if case.seed % 3 == 0 and not verdict.either:
        pgfold("plan", status=1 if verdict.stop else 0)
        assert_same(whole(pair.target), target_before)
    result = pgfold("fold", "--yes", "--no-backup")
    assert_same(whole(pair.source), source_before)
    if verdict.stop or (verdict.either and result.status == merging.CONFLICTS):
        wanted = merging.BLOCKED if verdict.blocked else merging.CONFLICTS
        assert result.status == wanted, f"exit {wanted} was expected, for {verdict.blocked + verdict.stops}: {result}"
        assert_same(whole(pair.target), target_before)
        return
    assert result.status == 0, f"nothing stands against this merge: {result}"

    after = merging.read(pair.target, tables, target=True)
    bound = merging.check(tables, verdict, source, target, after)
    assert merging.orphans(pair.target, tables) == []
    merging.check_writers(verdict, writers, merging.writers(pair.target, tables))
    merging.check_sequences(tables, sequences, source_sequences, merging.sequences(pair.target), verdict, target, bound)
    merging.check_archive(pair.folder, verdict)
    merging.check_key_maps(pair.folder, tables, verdict, bound)

    pgfold("verify", status=0)
    pgfold("verify", "--receipt", merging.receipts(pair.folder)[-1], status=0)
    target_after = whole(pair.target)
    pgfold("fold", "--yes", "--no-backup", status=0)
    assert_same(whole(pair.target), target_after)
    assert pair.target.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold%' AND nspname NOT LIKE 'pgfold_undo%'") == "0"
    if case.seed % 4 == 0 and target_after != target_before:
        undo_and_compare(pair, target_before)


def undo_and_compare(pair, before):
    """The first run brought everything; the second did nothing."""
    pair.pgfold("undo", merging.runs(pair.folder)[0], "--yes", status=0)
    assert_same(merging.settled(whole(pair.target)), merging.settled(before))
