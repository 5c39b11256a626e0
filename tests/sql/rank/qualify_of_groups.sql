-- QUALIFY of an aggregation.
--- use sales
--- sql
SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop QUALIFY ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, shop) <= 2;
--- rows
shop | n
a | 5
b | 4
