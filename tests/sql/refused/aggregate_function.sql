-- An aggregate that streams do not know yet.
--- use bids
--- sql
SELECT item, ARRAY_AGG(price) AS a FROM bids WHERE price = 9 OR price = 6 GROUP BY item;
--- error streaming
LV-1011
ARRAY_AGG
--- rows
item | a
NULL | [9]
cup | [6]
