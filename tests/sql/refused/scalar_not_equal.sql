-- A scalar subquery that compares other than by =, over a subquery that renames its columns.
--- use keyed
--- sql
SELECT o.id FROM keyed AS o
WHERE o.v < (SELECT MAX(i.w) FROM (SELECT v AS w, id AS n FROM keyed) AS i WHERE o.id IS NOT DISTINCT FROM i.n);
--- error streaming
LV-1011 (not supported): this scalar subquery on streams
--- error batch
not supported
