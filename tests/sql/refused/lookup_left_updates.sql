-- A row that is taken back might meet another row than it has met.
--- use directory
--- skip batch: rows do not change there
--- sql
SELECT o.id, p.name FROM (SELECT person, MAX(id) AS id, PROCTIME() AS pt FROM orders GROUP BY person) AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id;
--- error
FOR SYSTEM_TIME AS OF for a left table whose rows change
