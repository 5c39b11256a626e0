-- WITH, one expression over another.
--- use bids
--- sql
WITH cheap AS (SELECT * FROM bids WHERE price < 6), cheapest AS (SELECT price AS p, item FROM cheap WHERE price < 4)
SELECT item, p FROM cheapest;
--- rows
item | p
pen | 3
pen | 1
