WITH found AS (
  SELECT auction, bidder, price, channel, lower(channel) AS name,
    nullif(regexp_extract(url, '(&|^)channel_id=([^&]*)', 2), '') AS id
  FROM bid
)
SELECT auction, bidder, price, channel,
  CASE name
    WHEN 'apple' THEN '0'
    WHEN 'google' THEN '1'
    WHEN 'facebook' THEN '2'
    WHEN 'baidu' THEN '3'
    ELSE id
  END AS channel_id
FROM found
WHERE id IS NOT NULL OR name IN ('apple', 'google', 'facebook', 'baidu')
