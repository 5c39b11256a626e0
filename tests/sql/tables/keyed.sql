-- Rows of few keys in the order of their numbers.
--- file keyed.json
{"id": 1, "k": "a", "v": 10, "d": 1.50}
{"id": 2, "k": "b", "v": 20, "d": 2.25}
{"id": 3, "k": "a", "v": 30, "d": null}
{"id": 4, "k": "c", "v": null, "d": 0.75}
{"id": 5, "k": "b", "v": 20, "d": -1.00}
{"id": 6, "k": "a", "v": 5, "d": 10.00}
{"id": 7, "k": null, "v": 7, "d": 3.10}
{"id": 8, "k": null, "v": 8, "d": null}
{"id": 9, "k": "d", "v": 1, "d": 100.01}
--- sql
CREATE TABLE keyed (id INT, k STRING, v INT, d DECIMAL(10, 2))
WITH ('connector' = 'filesystem', 'path' = '{dir}/keyed.json', 'format' = 'json');
