-- Orders of customers, one order twice; customers of regions, one number twice. A few have no number, and
-- some numbers are on one side alone.
--- file orders.json
{"id": 1, "customer": 10, "amount": 5}
{"id": 2, "customer": 11, "amount": 7}
{"id": 3, "customer": 10, "amount": 3}
{"id": 4, "customer": null, "amount": 9}
{"id": 5, "customer": 13, "amount": null}
{"id": 6, "customer": 12, "amount": 7}
{"id": 6, "customer": 12, "amount": 7}
--- file customers.json
{"customer": 10, "name": "Ada", "region": "north", "least": 4}
{"customer": 11, "name": "Ben", "region": "south", "least": 8}
{"customer": 12, "name": "Cy", "region": "north", "least": 1}
{"customer": 12, "name": "Cyn", "region": null, "least": 7}
{"customer": 14, "name": "Eve", "region": "south", "least": null}
{"customer": null, "name": "Nil", "region": "west", "least": 2}
--- file regions.json
{"region": "north", "head": "Nora"}
{"region": "south", "head": "Sol"}
--- sql
CREATE TABLE orders (id INT, customer BIGINT, amount INT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/orders.json', 'format' = 'json');
CREATE TABLE customers (customer BIGINT, name STRING, region STRING, least INT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/customers.json', 'format' = 'json');
CREATE TABLE regions (region STRING, head STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/regions.json', 'format' = 'json');
