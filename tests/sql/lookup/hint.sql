-- Keys without rows are asked for again, and then have none still.
--- use directory
--- sql
SELECT /*+ LOOKUP('table' = 'p', 'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', 'fixed-delay' = '5 ms', 'max-attempts' = '2') */
  o.id, p.name FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.region = p.region;
--- rows
id | name
1 | ann
2 | bob
3 | NULL
4 | NULL
5 | ann
6 | NULL
7 | ann
8 | NULL
