"""Merging whole databases that a business could have: what its people count must be right afterwards."""
import decimal

import pytest

import merging
from folding import assert_same, whole
from test_merge import fold, lost, proven, rules, unchanged


def table(database, sql):
    """Rows of a query: first column -> the rest, as decimals where they are."""
    found = {}
    for line in database.sql(sql).splitlines():
        name, *values = line.split("|")
        assert name not in found
        found[name] = [decimal.Decimal(value or 0) for value in values]
    return found


def added(one, other, less=None):
    """The sums of both, name by name, less what both have in common."""
    none = [decimal.Decimal(0)] * len(next(iter({**one, **other}.values())))
    return {name: [a + b - c for a, b, c in zip(one.get(name, none), other.get(name, none), (less or {}).get(name, none))] for name in {**one, **other}}


# --- two shops, one Chinook -------------------------------------------------------------------------------------------------

BY_EMAIL = "SELECT c.email, count(*), sum(i.total) FROM invoice i JOIN customer c USING (customer_id) {where} GROUP BY 1"
LINES_BY_EMAIL = "SELECT c.email, count(*), sum(l.quantity), sum(l.quantity * l.unit_price) FROM invoice_line l JOIN invoice i USING (invoice_id) " \
                 "JOIN customer c USING (customer_id) {where} GROUP BY 1"
BY_TRACK = "SELECT track_id, count(*), sum(quantity) FROM invoice_line JOIN invoice i USING (invoice_id) {where} GROUP BY 1"
# Shop B has other people under every third number, and two who have changed numbers; 101 to 110 are people of its own.
SHOP_B = """
    SET session_replication_role = replica;
    UPDATE customer SET first_name = 'B', last_name = 'No. ' || customer_id, email = 'b' || customer_id || '@shop-b.example' WHERE customer_id % 3 = 0;
    UPDATE customer SET customer_id = CASE customer_id WHEN 10 THEN 11 ELSE 10 END + 1000 WHERE customer_id IN (10, 11);
    UPDATE customer SET customer_id = customer_id - 1000 WHERE customer_id > 1000;
    UPDATE invoice SET customer_id = CASE customer_id WHEN 10 THEN 11 ELSE 10 END WHERE customer_id IN (10, 11);
    UPDATE customer SET phone = '+49 30 1' WHERE customer_id IN (1, 2);
    SET session_replication_role = origin;
    INSERT INTO customer (customer_id, first_name, last_name, email) SELECT g, 'B', 'new', 'new' || g || '@shop-b.example' FROM generate_series(101, 110) g;
    INSERT INTO customer (customer_id, first_name, last_name, email) VALUES (120, 'Both', 'shops', 'both@example.org');
    SELECT setval('customer_customer_id_seq', 120);
    UPDATE invoice_line SET quantity = quantity + 1 WHERE invoice_id > {common};
    UPDATE invoice SET invoice_date = invoice_date + interval '1 day', total = (SELECT sum(quantity * unit_price) FROM invoice_line l WHERE l.invoice_id = invoice.invoice_id)
     WHERE invoice_id > {common};
    INSERT INTO invoice (customer_id, invoice_date, total) SELECT 100 + g, timestamp '2026-01-01' + g * interval '1 day', 3.00 FROM generate_series(1, 10) g;
    INSERT INTO invoice (customer_id, invoice_date, total) VALUES (120, '2026-02-02', 5.00);
    INSERT INTO invoice_line (invoice_id, track_id, unit_price, quantity) SELECT invoice_id, invoice_id % 3000 + 1, 1.00, 3 FROM invoice WHERE invoice_date >= '2026-01-01';
"""
SHOP_A = """
    INSERT INTO customer (customer_id, first_name, last_name, email) SELECT g, 'A', 'new', 'new' || g || '@shop-a.example' FROM generate_series(101, 107) g;
    INSERT INTO customer (customer_id, first_name, last_name, email) VALUES (108, 'Both', 'shops', 'both@example.org');
    SELECT setval('customer_customer_id_seq', 108);
    INSERT INTO invoice (customer_id, invoice_date, total) SELECT 100 + g, timestamp '2026-03-01' + g * interval '1 day', 7.00 FROM generate_series(1, 8) g;
    INSERT INTO invoice_line (invoice_id, track_id, unit_price, quantity) SELECT invoice_id, invoice_id % 3000 + 2, 1.00, 7 FROM invoice WHERE invoice_date >= '2026-03-01';
"""
SHOPS = rules(customer={"on_conflict": "rekey", "match_on": ["email"]}, invoice="rekey", invoice_line="rekey")


@pytest.fixture(params=[0, 100], ids=["nothing in common", "a hundred invoices in common"])
def shops(pair, request):
    """Shop A is the target. Up to some number the invoices are the same ones."""
    pair.common = request.param
    pair.source.create().load("chinook").sql(SHOP_B.format(common=pair.common))
    pair.target.create().load("chinook").sql(SHOP_A)
    if pair.common:  # those belong to people that both shops know
        for side in (pair.source, pair.target):
            side.sql(f"DELETE FROM invoice_line USING invoice i WHERE i.invoice_id = invoice_line.invoice_id AND i.invoice_id <= {pair.common} AND i.customer_id % 3 = 0;"
                     f"DELETE FROM invoice WHERE invoice_id <= {pair.common} AND customer_id % 3 = 0")
    return pair.configure(SHOPS)


def setup_sums(pair, sql):
    common = table(pair.target, sql.format(where=f"WHERE i.invoice_id <= {pair.common}")) if pair.common else {}
    return added(table(pair.source, sql.format(where="")), table(pair.target, sql.format(where="")), common)


def test_two_shops_become_one_and_every_total_is_right(shops):
    wanted = {sql: setup_sums(shops, sql) for sql in (BY_EMAIL, LINES_BY_EMAIL, BY_TRACK)}
    people = {*shops.source.sql("SELECT email FROM customer").splitlines(), *shops.target.sql("SELECT email FROM customer").splitlines()}
    counts = {name: shops.target.sql(f"SELECT count(*) FROM {name}") for name in ("track", "album", "playlist_track", "employee")}
    before = shops.target.sql("SELECT * FROM customer ORDER BY 1")
    invoices = shops.target.sql("SELECT * FROM invoice ORDER BY 1")
    last = shops.target.sql("SELECT max(invoice_id) FROM invoice")

    fold(shops)

    for sql, sums in wanted.items():
        assert table(shops.target, sql.format(where="")) == sums
    assert sorted(shops.target.sql("SELECT email FROM customer").splitlines()) == sorted(people), "everybody once"
    assert shops.target.sql("SELECT * FROM customer WHERE customer_id <= 108 AND email !~ 'shop-b' ORDER BY 1") == before, "nobody of shop A has changed"
    assert shops.target.sql(f"SELECT * FROM invoice WHERE invoice_id <= {last} ORDER BY 1") == invoices, "no invoice of shop A has changed"
    assert counts == {name: shops.target.sql(f"SELECT count(*) FROM {name}") for name in counts}, "what was the same stays one"
    assert len(lost(shops, "customer")) == 2, "two telephone numbers"
    assert shops.target.sql("SELECT count(*) FROM invoice i WHERE total <> (SELECT sum(quantity * unit_price) FROM invoice_line l WHERE l.invoice_id = i.invoice_id)") \
        == shops.source.sql("SELECT count(*) FROM invoice i WHERE total <> (SELECT sum(quantity * unit_price) FROM invoice_line l WHERE l.invoice_id = i.invoice_id)")
    shops.target.sql("INSERT INTO invoice (customer_id, invoice_date, total) VALUES (1, now(), 1); INSERT INTO customer (first_name, last_name, email) VALUES ('n', 'n', 'n')")
    proven(shops)


def test_the_merge_of_two_shops_can_be_taken_back(shops):
    before = whole(shops.target)
    fold(shops)
    shops.pgfold("undo", merging.runs(shops.folder)[-1], "--yes", status=0)
    assert_same(merging.settled(whole(shops.target)), merging.settled(before))


def test_without_a_rule_two_shops_are_told_what_collides(shops):
    shops.configure()
    unchanged(shops, merging.CONFLICTS, "public.customer", "public.invoice", "public.invoice_line")


# --- Northwind --------------------------------------------------------------------------------------------------------------

ORDERS = "SELECT o.ship_name || ' by ' || e.last_name, count(*), sum(d.quantity) FROM orders o JOIN order_details d USING (order_id) " \
         "JOIN employees e USING (employee_id) WHERE o.ship_name LIKE '% new %' GROUP BY 1"
TEAM = "SELECT string_agg(e.last_name || ' < ' || coalesce(b.last_name, '-'), ', ' ORDER BY e.last_name) FROM employees e " \
       "LEFT JOIN employees b ON b.employee_id = e.reports_to WHERE e.title = 'new'"


def office(who):
    """A boss, somebody who reports to them, and one who reports to that one; orders that they took, under the next numbers."""
    return f"""
        INSERT INTO employees (employee_id, last_name, first_name, title, reports_to) VALUES (10, '{who} boss', 'A', 'new', 2), (11, '{who} clerk', 'B', 'new', 10),
            (12, '{who} help', 'C', 'new', 11);
        INSERT INTO employee_territories VALUES (10, '01581'), (12, '01730');
        INSERT INTO orders (order_id, customer_id, employee_id, ship_name, freight) SELECT 11077 + g, 'ALFKI', 9 + g, '{who} new ' || g, 0.1 FROM generate_series(1, 3) g;
        INSERT INTO order_details SELECT 11077 + g, p, 1.5, g + p, 0.05 FROM generate_series(1, 3) g, generate_series(1, 2) p;
    """


@pytest.fixture
def northwind(pair):
    for side, who in ((pair.source, "laptop"), (pair.target, "server")):
        side.create().load("northwind").sql("ALTER TABLE products ADD COLUMN changed timestamptz DEFAULT '2024-01-01 00:00:00+00'")
    return pair


def test_new_orders_of_both_sides_are_kept_with_those_who_took_them(northwind):
    northwind.source.sql(office("laptop"))
    northwind.target.sql(office("server"))
    wanted = {**table(northwind.source, ORDERS), **table(northwind.target, ORDERS)}
    team = sorted(northwind.source.sql(TEAM).split(", ") + northwind.target.sql(TEAM).split(", "))
    total = int(northwind.target.sql("SELECT count(*) FROM order_details"))
    northwind.configure(rules(employees="rekey", orders="rekey"))
    fold(northwind)
    assert table(northwind.target, ORDERS) == wanted and len(wanted) == 6
    assert northwind.target.sql(TEAM).split(", ") == team
    assert int(northwind.target.sql("SELECT count(*) FROM order_details")) == total + 6
    assert northwind.target.sql("SELECT string_agg(last_name || ' ' || territory_id, ', ' ORDER BY 1) FROM employee_territories JOIN employees USING (employee_id) "
                                "WHERE employee_id > 9".replace("ORDER BY 1", "ORDER BY last_name")) == \
        "laptop boss 01581, laptop help 01730, server boss 01581, server help 01730"
    assert northwind.target.sql("SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders WHERE order_id > 11077") == "11078,11079,11080,11081,11082,11083"
    proven(northwind)


@pytest.mark.parametrize("rule, prices", [("keep-target", "20.5 30 40"), ("take-source", "21.5 31 41"), ("newest(changed)", "20.5 31 40")])
def test_a_price_that_was_changed_follows_the_rule(northwind, rule, prices):
    northwind.source.sql("UPDATE products SET unit_price = 19.5 + product_id * 2 WHERE product_id = 1; UPDATE products SET unit_price = 31, changed = '2025-01-01' WHERE product_id = 2;"
                         "UPDATE products SET unit_price = 41, changed = NULL WHERE product_id = 3")
    northwind.target.sql("UPDATE products SET unit_price = 20.5 WHERE product_id = 1; UPDATE products SET unit_price = 30 WHERE product_id = 2;"
                         "UPDATE products SET unit_price = 40 WHERE product_id = 3")
    northwind.configure(rules(products=rule))
    others = northwind.target.sql("SELECT sum(unit_price) FROM products WHERE product_id > 3")
    fold(northwind)
    assert northwind.target.sql("SELECT string_agg(unit_price::text, ' ' ORDER BY product_id) FROM products WHERE product_id <= 3") == prices
    assert northwind.target.sql("SELECT sum(unit_price) FROM products WHERE product_id > 3") == others
    assert len(lost(northwind, "products")) == 3
    proven(northwind)


def test_a_price_that_was_changed_on_one_side_only_is_still_a_conflict(northwind):
    """Nobody can tell from the data alone which side changed it."""
    northwind.source.sql("UPDATE products SET unit_price = 99.25 WHERE product_id = 1")
    northwind.configure()
    unchanged(northwind, merging.CONFLICTS, "public.products", "99.25", "product_id=1")


def test_a_hierarchy_that_was_turned_round_is_taken_as_the_rule_says(northwind):
    northwind.source.sql("UPDATE employees SET reports_to = 5 WHERE employee_id = 2; UPDATE employees SET reports_to = NULL WHERE employee_id = 5")
    northwind.configure(rules(employees="take-source"))
    fold(northwind)
    assert northwind.target.sql("SELECT employee_id FROM employees WHERE reports_to IS NULL") == "5"
    assert northwind.target.sql("SELECT reports_to FROM employees WHERE employee_id = 2") == "5"
    proven(northwind)


# --- the model application --------------------------------------------------------------------------------------------------

def season(who):
    """What one side lived through: users, sessions under UUIDs, journeys that stand on each other, memories, events."""
    return f"""
        INSERT INTO app.users (handle, email) SELECT '{who}' || g, '{who}' || g || '@example.org' FROM generate_series(1, {6 if who == 'laptop' else 9}) g;
        INSERT INTO app.users (handle, email, name) VALUES ('both', 'both@example.org', '{who}');
        INSERT INTO app.sessions (id, user_id, started_at) SELECT md5('{who}' || id)::uuid, id, '2026-01-01 00:00:00+00' FROM app.users WHERE id > 500;
        INSERT INTO app.journeys (user_id, title) SELECT id, handle || ' goes' FROM app.users WHERE id > 500;
        INSERT INTO app.journeys (user_id, title, parent_id) SELECT user_id, '{who}: ' || title || ' on', id FROM app.journeys WHERE title LIKE '% goes';
        INSERT INTO app.memories (session_id, journey_id, kind, content, embedding, created_at)
            SELECT s.id, j.id, 'semantic', '{who} remembers ' || title, array_fill(0.5::real, ARRAY[16]), '2026-01-02 00:00:00+00'
              FROM app.sessions s JOIN app.journeys j USING (user_id) WHERE user_id > 500;
        INSERT INTO app.attachments SELECT id, 1, '{who}', 900001 FROM app.memories WHERE created_at >= '2026-01-01';
        INSERT INTO app.events SELECT '2026-01-01', '{who}', g % 2 FROM generate_series(1, 4) g;
    """


STORIES = """SELECT u.handle || '/' || s.id || '/' || j.title || '/' || coalesce(p.title, '-') || '/' || m.content || '/' || coalesce(a.name, '-')
  FROM app.memories m JOIN app.sessions s ON s.id = m.session_id JOIN app.users u ON u.id = s.user_id JOIN app.journeys j ON j.id = m.journey_id
  LEFT JOIN app.journeys p ON p.id = j.parent_id LEFT JOIN app.attachments a ON a.memory_id = m.id WHERE m.created_at >= '2026-01-01' AND j.user_id = u.id"""
MODEL_RULES = "fold:\n  tables:\n    app.users: {on_conflict: rekey, match_on: [handle]}\n    app.journeys: {on_conflict: rekey, match_on: [user_id, title]}\n" \
              "    app.memories: {on_conflict: rekey}\n"


@pytest.fixture
def model(pair):
    for side, who in ((pair.source, "laptop"), (pair.target, "server")):
        side.create().load("model-app").sql(season(who))
    return pair.configure(MODEL_RULES)


def test_two_seasons_of_the_model_application_become_one(model):
    wanted = sorted(model.source.sql(STORIES).splitlines() + model.target.sql(STORIES).splitlines())
    touched = model.target.sql("SELECT sum(extract(epoch FROM updated_at)) FROM app.journeys WHERE id < 9000")
    fold(model)
    got = [line for line in model.target.sql(STORIES).splitlines()]
    assert sorted(got) == sorted(wanted) and len(wanted) == (6 + 9 + 2) * 2
    assert model.target.sql("SELECT count(*) FROM app.users") == str(500 + 6 + 9 + 1), "`both` is one person"
    assert model.target.sql("SELECT name FROM app.users WHERE handle = 'both'") == "server"
    assert model.target.sql("SELECT what, count(*) FROM app.events WHERE at >= '2026-01-01' GROUP BY 1 ORDER BY 1") == "laptop|4\nserver|4"
    assert model.target.sql("SELECT count(*) FROM app.events") == "2008"
    assert model.target.sql("SELECT sum(extract(epoch FROM updated_at)) FROM app.journeys WHERE id < 9000") == touched, "its trigger did not fire"
    model.target.sql("INSERT INTO app.users (handle, email) VALUES ('later', 'later@example.org'); INSERT INTO app.journeys (user_id, title) VALUES (1, 'later')")
    proven(model)


def test_the_merge_of_the_model_application_can_be_taken_back(model):
    before = whole(model.target)
    fold(model)
    model.pgfold("undo", merging.runs(model.folder)[-1], "--yes", status=0)
    assert_same(merging.settled(whole(model.target)), merging.settled(before))
