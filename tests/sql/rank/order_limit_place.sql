-- An order by the place of a column.
--- use sales
--- sql
SELECT shop, id FROM sales ORDER BY 2 DESC LIMIT 2;
--- rows
shop | id
a | 11
b | 12
