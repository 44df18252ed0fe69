"""Columns of types that extensions bring. PostGIS: `make test-long` installs it. pgvector is not in Debian 12: it is tested where it is there."""
import pytest

from folding import assert_same, whole

POSTGIS = """
    CREATE EXTENSION postgis; CREATE EXTENSION postgis_raster;
    CREATE TABLE places (id int PRIMARY KEY, at geometry(Point, 4326), area geometry(MultiPolygon, 3857), path geometry(LineStringZM), far geography,
                         any_kind geometry, b box2d, b3 box3d, r raster, many geometry[], CHECK (ST_IsValid(area)));
    INSERT INTO places SELECT g, ST_SetSRID(ST_MakePoint(g / 7.0, g / 11.0), 4326), ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(g, g), 3857), g)),
        ST_GeomFromText('LINESTRING ZM (0 0 ' || g || ' 1, 1 1 1 ' || g || ')'), ST_Project('POINT(13.4 52.5)'::geography, g * 1000, radians(g)), NULL,
        ST_MakeBox2D(ST_Point(0, 0), ST_Point(g, g / 3.0)), ST_3DMakeBox(ST_MakePoint(0, 0, 0), ST_MakePoint(g, g, g / 7.0)),
        ST_AddBand(ST_MakeEmptyRaster(3, 3, 0, 0, g / 3.0), '8BUI'::text, g % 200, 0), ARRAY[ST_Point(g, 0), NULL] FROM generate_series(1, 300) g;
    INSERT INTO places (id, any_kind) VALUES (1001, 'POINT EMPTY'), (1002, 'GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))'), (1003, 'SRID=4326;POINT(-0 NaN)'),
        (1004, 'CIRCULARSTRING(0 0, 1 1, 2 0)'), (1005, 'TIN(((0 0 0, 0 0 1, 0 1 0, 0 0 0)))'), (1006, NULL);
    CREATE INDEX places_at ON places USING gist (at); CREATE INDEX ON places USING spgist (area); CREATE INDEX ON places USING brin (at);
    CREATE INDEX ON places USING gist (ST_Transform(at, 3857)); CREATE VIEW near AS SELECT id, ST_AsText(at) AS at FROM places WHERE ST_DWithin(far, 'POINT(13.4 52.5)', 5000);
    CREATE MATERIALIZED VIEW hull AS SELECT ST_ConvexHull(ST_Collect(at)) AS h FROM places"""
VECTOR = """
    CREATE EXTENSION vector; CREATE TABLE items (id int PRIMARY KEY, v vector(3)); INSERT INTO items SELECT g, ARRAY[g, g / 3.0, -g]::real[] FROM generate_series(1, 300) g;
    CREATE INDEX ON items USING hnsw (v vector_l2_ops)"""


def assert_moves(pair, change):
    pair.configure()
    pair.pgfold("fold", "--yes", status=0)
    assert_same(whole(pair.target), whole(pair.source))
    pair.pgfold("verify", status=0)
    pair.target.sql(change)
    pair.pgfold("verify", status=1)


@pytest.mark.long
def test_postgis_columns_of_every_kind_arrive_and_are_compared(pair):
    pair.source.create().sql(POSTGIS)
    assert_moves(pair, "UPDATE places SET far = ST_Project(far, 0.000001, 1) WHERE id = 7")


@pytest.mark.long
def test_a_reference_system_of_ones_own_is_not_left_out_in_silence(pair):
    pair.source.create().sql("CREATE EXTENSION postgis; CREATE TABLE t (id int, at geometry(Point, 990001)); INSERT INTO t VALUES (1, 'SRID=990001;POINT(1 2)');"
                             "INSERT INTO spatial_ref_sys VALUES (990001, 'own', 1, 'PROJCS', '+proj=utm')")
    pair.configure()
    assert "spatial_ref_sys" in pair.pgfold("plan", status=1).out
    pair.pgfold("fold", "--yes", "--no-backup", status=4)
    assert not pair.target.exists()


MORE = """
    CREATE EXTENSION cube; CREATE EXTENSION seg; CREATE EXTENSION isn; CREATE EXTENSION intarray; CREATE EXTENSION earthdistance; CREATE EXTENSION pgcrypto;
    CREATE EXTENSION unaccent; CREATE EXTENSION tablefunc; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION lo; CREATE EXTENSION bloom; CREATE EXTENSION btree_gin;
    CREATE EXTENSION pg_stat_statements; CREATE EXTENSION fuzzystrmatch; CREATE EXTENSION dict_int; CREATE EXTENSION insert_username;
    CREATE TABLE t (id int PRIMARY KEY DEFAULT 1, c cube, s seg, i isbn13, a int[], e earth, u uuid DEFAULT public.uuid_generate_v4(), l lo);
    INSERT INTO t SELECT g, cube(ARRAY[g, g / 3.0]), (g || ' .. ' || g + 1)::seg, '978-0-393-04002-9', ARRAY[g, 1], ll_to_earth(g % 90, g), md5(g::text)::uuid, lo_from_bytea(g, 'x')
        FROM generate_series(1, 50) g;
    CREATE INDEX ON t USING gist (c); CREATE INDEX ON t USING gin (a gin__int_ops); CREATE INDEX ON t USING bloom (id) WITH (length = 80);
    CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple); ALTER TEXT SEARCH CONFIGURATION plain ALTER MAPPING FOR word WITH unaccent, simple;
    CREATE TRIGGER who BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION lo_manage(l);"""


@pytest.mark.long
def test_columns_of_many_other_extensions_arrive(pair):
    there = pair.source.create().sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == "1"
    pair.source.sql(MORE + (VECTOR if there else ""))
    assert_moves(pair, "UPDATE t SET s = '49 .. 50.5' WHERE id = 49")
