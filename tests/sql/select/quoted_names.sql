-- Names keep their case; backticks and double quotes quote reserved words.
--- file t.json
{"Order": 1, "select": "x", "camelCase": 2}
--- sql
CREATE TABLE t (`Order` INT, "select" STRING, camelCase INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT `Order`, "select", camelCase, CAMELCASE + 1 AS `Next One` FROM T;
--- rows
Order | select | camelCase | Next One
1 | x | 2 | 3
