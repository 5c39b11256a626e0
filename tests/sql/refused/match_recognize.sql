-- MATCH_RECOGNIZE is named when it is refused.
--- use bids
--- sql
SELECT * FROM bids MATCH_RECOGNIZE (PARTITION BY auction ORDER BY ts MEASURES A.price AS p PATTERN (A) DEFINE A AS A.price > 1);
--- error
LV-1011
MATCH_RECOGNIZE
