-- A table that is joined on its PRIMARY KEY and has a condition of its own is joined sooner than FROM says; an
-- equality that was a key there is a condition then.
--- file sales.json
{"id": 1, "buyer": 1, "part": 7, "n": 2}
{"id": 2, "buyer": 1, "part": 8, "n": 3}
{"id": 3, "buyer": 2, "part": 7, "n": 2}
{"id": 4, "buyer": 3, "part": 7, "n": 1}
{"id": 5, "buyer": 1, "part": null, "n": 2}
{"id": 6, "buyer": null, "part": 7, "n": 2}
{"id": 7, "buyer": 1, "part": 9, "n": 5}
{"id": 8, "buyer": 3, "part": 8, "n": 1}
--- file parts.json
{"part": 7, "weight": 10, "code": 3}
{"part": 8, "weight": 20, "code": 2}
{"part": 8, "weight": 21, "code": 2}
{"part": 9, "weight": 1, "code": 0}
--- file buyers.json
{"buyer": 1, "country": "fi", "least": 5}
{"buyer": 2, "country": "se", "least": 5}
{"buyer": 3, "country": "fi", "least": 4}
--- sql
CREATE TABLE sales (id INT, buyer INT, part INT, n INT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/sales.json', 'format' = 'json');
CREATE TABLE parts (part INT, weight INT, code INT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/parts.json', 'format' = 'json');
CREATE TABLE buyers (buyer INT NOT NULL, country STRING, least INT, PRIMARY KEY (buyer) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '{dir}/buyers.json', 'format' = 'json');
SELECT s.id, p.part, b.buyer, weight, n, code, least, country FROM sales AS s, parts AS p, buyers AS b
WHERE s.part = p.part AND s.buyer = b.buyer AND s.n + p.code = b.least AND b.country = 'fi' AND p.weight > b.least;
--- rows
id | part | buyer | weight | n | code | least | country
1  | 7    | 1     | 10     | 2 | 3    | 5     | fi
2  | 8    | 1     | 20     | 3 | 2    | 5     | fi
2  | 8    | 1     | 21     | 3 | 2    | 5     | fi
4  | 7    | 3     | 10     | 1 | 3    | 4     | fi
