"""sqlite3: a database in memory is filled, indexed, joined and sorted."""

import real

SCRIPT = """
CREATE TABLE page (id INTEGER PRIMARY KEY, title TEXT, size INTEGER, parent INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO page SELECT i, 'page ' || (i * 7919 % 20011), i * 31 % 4096, i / 10 FROM n;
CREATE INDEX page_title ON page (title);
CREATE INDEX page_parent ON page (parent);
SELECT count(*), sum(size), max(title) FROM page;
SELECT p.title, group_concat(c.id) FROM page p JOIN page c ON c.parent = p.id GROUP BY p.id
    ORDER BY p.title DESC LIMIT 20;
UPDATE page SET title = title || ' (' || size || ')' WHERE id % 3 = 0;
DELETE FROM page WHERE id % 7 = 0;
SELECT title, size FROM page ORDER BY size, title LIMIT 20;
SELECT json_group_array(json_object('id', id, 'title', title)) FROM (SELECT * FROM page LIMIT 500);
"""


def checks(tap):
    command = [real.need("sqlite3"), "-batch", ":memory:", SCRIPT]
    real.check_program(tap, "sqlite3", command, valgrind=True)


real.main("sqlite3", checks)
