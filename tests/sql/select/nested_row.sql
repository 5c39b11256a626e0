-- Fields of a ROW by dots, also of a ROW in a ROW; a field of NULL is NULL.
--- file t.json
{"id": 1, "person": {"name": "Ana", "home": {"city": "Funchal", "zip": 9000}}}
{"id": 2, "person": {"name": "Rui", "home": null}}
{"id": 3, "person": null}
{"id": 4}
--- sql
CREATE TABLE t (id INT, person ROW<name STRING, home ROW<city STRING, zip INT>>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, person.name, t.person.home.city AS city, person.home.zip + 1 AS next FROM t;
--- rows
id | name | city | next
1 | Ana | Funchal | 9001
2 | Rui | NULL | NULL
3 | NULL | NULL | NULL
4 | NULL | NULL | NULL
