-- An aggregate of an aggregate.
--- use market
--- sql
SELECT MAX(SUM(price)) FROM bids GROUP BY item;
--- error
LV-1018
an aggregate cannot stand within another, as sum(bids.price) does in max(sum(bids.price))
line 1, column 16
hint: aggregate in a subquery first: SELECT MAX(s) FROM (SELECT SUM(x) AS s FROM t GROUP BY k)
