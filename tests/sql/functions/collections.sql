-- Arrays and maps of columns, some of which are NULL or empty, and elements of them.
--- file t.json
{"id": 1, "tags": ["b", "a", "b"], "prices": {"x": 5, "y": 7}, "n": 2}
{"id": 2, "tags": [], "prices": {}, "n": 1}
{"id": 3, "tags": null, "prices": null, "n": 1}
{"id": 4, "tags": ["c", null], "prices": {"y": null}, "n": null}
--- sql
CREATE TABLE t (id INT, tags ARRAY<STRING>, prices MAP<STRING, INT>, n INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, CARDINALITY(tags) AS c, tags[n] AS nth, ARRAY_JOIN(ARRAY_SORT(ARRAY_DISTINCT(tags)), '-', '?') AS sorted, ARRAY_CONTAINS(tags, 'b') AS b,
  ARRAY_POSITION(tags, 'a') AS p, prices['y'] AS y, ARRAY_MAX(MAP_VALUES(prices)) AS most, ARRAY_APPEND(tags, 'z') AS more, CARDINALITY(MAP_UNION(prices, MAP['z', 1])) AS u
FROM t;
--- rows
id | c | nth | sorted | b | p | y | most | more | u
1 | 3 | a | a-b | true | 2 | 7 | 7 | [b, a, b, z] | 3
2 | 0 | NULL |  | false | 0 | NULL | NULL | [z] | 1
3 | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL
4 | 2 | NULL | ?-c | false | 0 | NULL | NULL | [c, NULL, z] | 2
