-- Conditions in WHERE decide about what comes out.
--- use directory
--- sql
SELECT o.id, p.name FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.region = p.region
WHERE o.amount > 3 AND p.name IS NULL;
--- rows
id | name
8 | NULL
