-- An aggregation behind two lookup joins.
--- use directory
--- sql
SELECT p.name, COUNT(*) AS n, MAX(q.quota) AS most FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.region = p.region
JOIN people FOR SYSTEM_TIME AS OF o.pt AS q ON q.id = p.id
GROUP BY p.name;
--- rows
name | n | most
ann | 6 | 8
bob | 1 | 10
