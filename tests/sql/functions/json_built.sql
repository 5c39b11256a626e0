-- JSON made of columns, and JSON in JSON.
--- file t.json
{"id": 1, "name": "a\"b", "price": 2.50, "tags": ["x", null]}
{"id": 2, "name": null, "price": null, "tags": null}
--- sql
CREATE TABLE t (id INT, name STRING, price DECIMAL(5, 2), tags ARRAY<STRING>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT JSON_OBJECT('id' VALUE id, 'name' VALUE name, 'price' VALUE price) AS o, JSON_OBJECT(KEY 'n' VALUE name ABSENT ON NULL) AS present,
  JSON_ARRAY(id, name, JSON_OBJECT('t' VALUE tags)) AS a, JSON_STRING(tags) AS s, JSON_VALUE(JSON_OBJECT('id' VALUE id), '$.id' RETURNING INT) + 1 AS next
FROM t;
--- rows
o | present | a | s | next
{"id":1,"name":"a\"b","price":2.50} | {"n":"a\"b"} | [1,"a\"b",{"t":["x",null]}] | ["x",null] | 2
{"id":2,"name":null,"price":null} | {} | [2,{"t":null}] | NULL | 3
