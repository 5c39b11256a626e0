-- A table that is asked knows what it has now.
--- use directory
--- sql
SELECT o.id FROM orders AS o JOIN people FOR SYSTEM_TIME AS OF o.ts AS p ON o.person = p.id;
--- error
people is asked for the rows that it has now, and knows none of the versions before
