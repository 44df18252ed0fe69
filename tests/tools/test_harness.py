"""The tests' own servers: every supported version is there, and the data loads on each of them."""
import pytest


def test_every_supported_version_starts_and_loads_the_model_application(cluster, version):
    server = cluster(version)
    assert server.sql("postgres", "SHOW server_version_num")[:2] == str(version)
    database = server.create("model").load("model-app")
    assert database.sql("SELECT count(*) FROM app.memories") == "6000"
    assert database.sql("SELECT sum(memories) FROM app.a_summary") == "6000"
    assert database.sql("SELECT count(*) FROM pg_largeobject_metadata") == "40"


def test_two_clusters_of_one_template_have_different_system_identifiers(cluster):
    query = "SELECT system_identifier FROM pg_control_system()"
    first, second = cluster(), cluster()
    assert first.sql("postgres", query) != second.sql("postgres", query)


@pytest.mark.parametrize("dataset, table, rows", [("chinook", "track", 3503), ("northwind", "order_details", 2155)])
def test_sample_databases_load(pair, dataset, table, rows):
    pair.source.create().load(dataset)
    assert pair.source.sql(f"SELECT count(*) FROM {table}") == str(rows)
    assert not pair.target.exists()


def test_a_failing_statement_is_an_error_not_an_empty_result(laptop):
    with pytest.raises(AssertionError, match="does not exist"):
        laptop.sql("postgres", "SELECT * FROM nothing_here")
