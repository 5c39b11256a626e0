-- ALTER changes columns, options and the name; the next query sees them.
--- file t.json
{"id": 1, "a": "x"}
{"id": 2, "a": "y"}
--- sql
CREATE TABLE t (id INT, a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/nowhere', 'format' = 'json');
ALTER TABLE t MODIFY a STRING FIRST;
ALTER TABLE t ADD (twice AS id * 2);
ALTER TABLE t SET ('path' = '{dir}/t.json');
ALTER TABLE t RENAME twice TO double_id;
ALTER TABLE t RENAME TO u;
SELECT * FROM u;
--- rows
a | id | double_id
x | 1 | 2
y | 2 | 4
