-- A scalar subquery must have one row by its syntax.
--- use shop
--- skip batch: whether there are several rows shows when it runs
--- sql
SELECT id, (SELECT head FROM regions) AS head FROM orders;
--- error streaming
LV-1011
several rows
MAX
