-- EXPLAIN ANALYZE of PostgreSQL.
--- use market
--- sql
EXPLAIN ANALYZE SELECT 1;
--- error
LV-1001
expected CHANGELOG_MODE, ESTIMATED_COST, LOGICAL, JOB GRAPH, PLAN FOR, a query or INSERT, found ANALYZE
line 1, column 9
hint: EXPLAIN shows plans and runs nothing: leave ANALYZE out
