-- A table as both sides: each change of a rate meets itself.
--- use rates
--- sql
SELECT l.currency, l.rate, r.rate AS then FROM rate_log AS l
JOIN rates FOR SYSTEM_TIME AS OF l.since AS r ON l.currency = r.currency;
--- rows
currency | rate | then
CHF | 90 | 90
EUR | 108 | 108
EUR | 110 | 110
EUR | 112 | 112
EUR | 115 | 115
EUR | 120 | 120
JPY | 2 | 2
USD | 100 | 100
USD | 101 | 101
USD | 99 | 99
