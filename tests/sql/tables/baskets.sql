-- Baskets with tags, items and prices; some are empty or missing, and some elements are NULL.
--- file baskets.json
{"id": 1, "ts": "2026-01-01 00:00:00.500", "tags": ["red", "blue"], "items": [{"sku": "a", "n": 2, "codes": [1, 2]}, {"sku": "b", "n": 1, "codes": []}], "prices": {"eur": 5, "usd": 6}}
{"id": 2, "ts": "2026-01-01 00:00:01", "tags": [], "items": [], "prices": {}}
{"id": 3, "ts": "2026-01-01 00:00:01.500", "tags": null, "items": null, "prices": null}
{"id": 4, "ts": "2026-01-01 00:00:02", "tags": ["red", null, "red"], "items": [{"sku": "a", "n": 5, "codes": [3]}, null, {"sku": null, "n": 3, "codes": null}], "prices": {"eur": null}}
{"id": 5, "ts": "2026-01-01 00:00:04", "tags": ["green"], "items": [{"sku": "c", "n": null, "codes": [4, null]}], "prices": {"usd": 7, "gbp": 8}}
--- file goods.json
{"sku": "a", "name": "apple"}
{"sku": "b", "name": "bread"}
{"sku": "d", "name": "dates"}
--- sql
CREATE TABLE baskets (id INT, ts TIMESTAMP(3), tags ARRAY<STRING>,
                      items ARRAY<ROW<sku STRING, n INT, codes ARRAY<INT>>>, prices MAP<STRING, INT>,
                      WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '{dir}/baskets.json', 'format' = 'json');
CREATE TABLE goods (sku STRING, name STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/goods.json', 'format' = 'json');
