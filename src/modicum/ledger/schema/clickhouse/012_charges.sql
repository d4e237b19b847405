-- Tokens that are not text and cache writes by their time to live, each with its cost; what is charged beside tokens, by
-- unit (JSON); where a call was served; what of it is not understood (JSON); what its provider says that it charged.
-- The sums of buckets are kept too, since nearly every question asks for them.
-- Entries booked before have what a default gives: their tokens are all text.
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS input_audio Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS input_image Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS input_video Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_read_audio Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_read_image Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_write_30m Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_write_12h Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS output_audio Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS output_image Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS output_video Int64 DEFAULT 0;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_input_audio_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_input_image_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_input_video_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_cache_read_audio_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_cache_read_image_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_cache_write_30m_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_cache_write_12h_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_output_audio_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_output_image_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cost_output_video_usd Nullable(Decimal(18, 10))
    DEFAULT if(isNull(cost_requests_usd), NULL, toDecimal64(0, 10));
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS uncached_tokens Int64 DEFAULT input_uncached;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_read_tokens Int64 DEFAULT cache_read;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_write_tokens Int64 DEFAULT cache_write_5m + cache_write_1h;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS completion_tokens Int64 DEFAULT output_visible + output_reasoning;
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS requests String
    DEFAULT if(web_searches > 0, concat('{"web_search":', toString(web_searches), '}'), '{}');
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS region LowCardinality(String) DEFAULT '';
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS caveats String DEFAULT '[]';
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS provider_cost_usd Nullable(Decimal(18, 10));

DROP VIEW IF EXISTS entries;

CREATE VIEW entries AS SELECT * EXCEPT (version) FROM entries_log FINAL;
