-- ASOF JOIN looks back only.
--- use rates
--- sql
SELECT t.id FROM trades AS t ASOF JOIN rate_log AS r MATCH_CONDITION (t.ts <= r.since) ON t.currency = r.currency;
--- error
ASOF JOIN with a later row of the right table
line 1, column 40
