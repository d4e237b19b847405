-- Calls whose cost is not exact, or of which something is not understood, by all that may be the reason.
SELECT
    source,
    provider,
    model,
    tier,
    region,
    usage_basis,
    output_basis,
    cost_basis,
    price_source,
    requests,
    caveats,
    sum(calls) AS calls,
    min(first_started) AS first_started,
    sum(cache_read) AS cache_read,
    sum(cache_write_5m) AS cache_write_5m,
    sum(cache_write_1h) AS cache_write_1h,
    sum(input_audio) AS input_audio,
    sum(cache_read_audio) AS cache_read_audio,
    sum(cache_write_30m) AS cache_write_30m,
    sum(cache_write_12h) AS cache_write_12h,
    sum(output_audio) AS output_audio,
    sum(output_image) AS output_image,
    sum(output_video) AS output_video
FROM $figures
WHERE $where AND (cost_basis IN ('lower_bound', 'estimated') OR caveats <> '[]')
GROUP BY
    source, provider, model, tier, region, usage_basis, output_basis, cost_basis, price_source, requests, caveats
ORDER BY source, provider, model, tier, region, caveats, requests, cost_basis, usage_basis, output_basis, price_source
