-- Orders, some of nobody and some of people that are not in the directory; the directory, which is loaded
-- before the first order is answered, has a person twice in another region, and one without a name.
--- file orders.json
{"id": 1, "person": 10, "region": "eu", "amount": 5, "ts": "2026-01-01 00:00:01"}
{"id": 2, "person": 11, "region": "us", "amount": 7, "ts": "2026-01-01 00:00:04"}
{"id": 3, "person": 99, "region": "eu", "amount": 1, "ts": "2026-01-01 00:00:02"}
{"id": 4, "person": null, "region": "eu", "amount": 3, "ts": "2026-01-01 00:00:11"}
{"id": 5, "person": 10, "region": "us", "amount": 9, "ts": "2026-01-01 00:00:12"}
{"id": 6, "person": 12, "region": null, "amount": 2, "ts": "2026-01-01 00:00:13"}
{"id": 7, "person": 10, "region": "eu", "amount": 4, "ts": "2026-01-01 00:00:19"}
{"id": 8, "person": 13, "region": "eu", "amount": 6, "ts": "2026-01-01 00:00:21"}
--- file people.json
{"id": 10, "region": "eu", "name": "ann", "quota": 5}
{"id": 10, "region": "us", "name": "ann", "quota": 8}
{"id": 11, "region": "us", "name": "bob", "quota": 10}
{"id": 12, "region": "eu", "name": null, "quota": 1}
{"id": 14, "region": "eu", "name": "eve", "quota": 1}
{"id": null, "region": "eu", "name": "nobody", "quota": 1}
--- sql
CREATE TABLE orders (
  id INT, person INT, region STRING, amount INT, ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/orders.json', 'format' = 'json');
CREATE TABLE people (id INT, region STRING, name STRING, quota INT, shout AS UPPER(name))
WITH ('connector' = 'filesystem', 'path' = '{dir}/people.json', 'format' = 'json', 'lookup.cache' = 'FULL');
CREATE VIEW europeans AS SELECT name AS called, id AS number, quota * 2 AS twice FROM people WHERE region = 'eu';
