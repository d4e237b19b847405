-- Tokens that are not text and cache writes by their time to live, each with its cost; what is charged beside tokens, by
-- unit (JSON); where a call was served; what of it is not understood (JSON); what its provider says that it charged.
-- The sums of buckets are kept too, since nearly every question asks for them.
ALTER TABLE entries ADD COLUMN input_audio BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN input_image BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN input_video BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cache_read_audio BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cache_read_image BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cache_write_30m BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cache_write_12h BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN output_audio BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN output_image BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN output_video BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cost_input_audio_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_input_image_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_input_video_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_cache_read_audio_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_cache_read_image_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_cache_write_30m_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_cache_write_12h_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_output_audio_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_output_image_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN cost_output_video_usd DECIMAL(18, 10);
ALTER TABLE entries ADD COLUMN uncached_tokens BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cache_read_tokens BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN cache_write_tokens BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN completion_tokens BIGINT DEFAULT 0;
ALTER TABLE entries ADD COLUMN requests VARCHAR DEFAULT '{}';
ALTER TABLE entries ADD COLUMN region VARCHAR DEFAULT '';
ALTER TABLE entries ADD COLUMN caveats VARCHAR DEFAULT '[]';
ALTER TABLE entries ADD COLUMN provider_cost_usd DECIMAL(18, 10);

UPDATE entries SET
    uncached_tokens = input_uncached,
    cache_read_tokens = cache_read,
    cache_write_tokens = cache_write_5m + cache_write_1h,
    completion_tokens = output_visible + output_reasoning;
UPDATE entries SET
    cost_input_audio_usd = 0,
    cost_input_image_usd = 0,
    cost_input_video_usd = 0,
    cost_cache_read_audio_usd = 0,
    cost_cache_read_image_usd = 0,
    cost_cache_write_30m_usd = 0,
    cost_cache_write_12h_usd = 0,
    cost_output_audio_usd = 0,
    cost_output_image_usd = 0,
    cost_output_video_usd = 0
WHERE cost_requests_usd IS NOT NULL;
UPDATE entries SET requests = concat('{"web_search":', web_searches, '}') WHERE web_searches > 0;
