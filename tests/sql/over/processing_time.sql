-- In processing time rows are in the order in which they come.
--- use sales
--- whole
--- skip batch: there rows come in no order
--- sql
SELECT COUNT(*) AS c, MAX(n) AS most FROM (
  SELECT ROW_NUMBER() OVER (PARTITION BY shop ORDER BY pt) AS n FROM (SELECT shop, PROCTIME() AS pt FROM sales)
);
--- rows
c | most
12 | 5
