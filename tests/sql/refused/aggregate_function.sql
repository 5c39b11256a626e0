-- An aggregate that streams do not know.
--- use bids
--- sql
SELECT item, MEDIAN(price) AS a FROM bids WHERE price = 9 OR price = 6 GROUP BY item;
--- error streaming
LV-1011
MEDIAN
--- rows
item | a
NULL | 9.0
cup | 6.0
