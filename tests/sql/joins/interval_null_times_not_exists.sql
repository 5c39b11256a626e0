-- NOT EXISTS with rows without a time: they have no partner.
--- use payments
--- sql
SELECT id FROM calls AS c
WHERE NOT EXISTS (SELECT 1 FROM answers AS a WHERE a.caller = c.caller AND a.ts BETWEEN c.ts AND c.ts + INTERVAL '5' SECOND);
--- rows
id
2
3
4
5
