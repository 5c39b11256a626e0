-- JSON_ARRAYAGG and JSON_OBJECTAGG with and without NULLs.
--- use keyed
--- sql
SELECT k, JSON_ARRAYAGG(v) FILTER (WHERE id < 5 AND id <> 3) AS a, JSON_ARRAYAGG(v NULL ON NULL) FILTER (WHERE id < 5 AND id <> 3) AS n,
  JSON_OBJECTAGG(KEY CAST(id AS STRING) VALUE v) FILTER (WHERE id > 4 AND id <> 8) AS o, JSON_OBJECTAGG('x' VALUE k) AS x,
  JSON_OBJECTAGG('x' VALUE k ABSENT ON NULL) AS w, JSON_ARRAYAGG(JSON_OBJECT(KEY 'v' VALUE v)) FILTER (WHERE id IN (6, 7, 9)) AS i
FROM keyed GROUP BY k;
--- rows
k | a | n | o | x | w | i
a | [10] | [10] | {"6":5} | {"x":"a"} | {"x":"a"} | [{"v":5}]
b | [20] | [20] | {"5":20} | {"x":"b"} | {"x":"b"} | []
c | [] | [null] | {} | {"x":"c"} | {"x":"c"} | []
d | [] | [] | {"9":1} | {"x":"d"} | {"x":"d"} | [{"v":1}]
NULL | [] | [] | {"7":7} | {"x":null} | {} | [{"v":7}]
