-- EXISTS that asks whether there is any row.
--- use shop
--- sql
SELECT head FROM regions WHERE EXISTS (SELECT 1 FROM orders WHERE amount > 8) AND NOT EXISTS (SELECT 1 FROM orders WHERE amount > 9);
--- rows
head
Nora
Sol
