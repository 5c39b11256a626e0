-- All of the key is constant: every order meets the same rows.
--- use directory
--- sql
SELECT o.id, p.name FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON p.region = 'us' AND o.amount > p.quota;
--- rows
id | name
5 | ann
