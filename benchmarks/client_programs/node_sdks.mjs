// The cells of clients that run under Node; argument: which of them. As cells.py does it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.MODICUM_NODE + "/package.json");
const load = async (name) => {
  let folder = process.env.MODICUM_NODE + "/node_modules/" + name;
  const about = JSON.parse(readFileSync(folder + "/package.json"));
  return [await import(pathToFileURL(require.resolve(name))), about.version];
};
const BASE = process.env.MODICUM_URL;
const KEYS = JSON.parse(process.env.MODICUM_KEYS);
const QUESTION = "What is the tide in Kiel?";
const SLOW = { "x-mock-chunk-delay-ms": "150", "x-mock-output-tokens": "60", "x-mock-chunks": "40" };
const BUSY = { "x-mock-fault": "rate_limited" };
const SAYS = { "x-mock-says": '{"city":"Kiel"}' };
const SCHEMA = {
  type: "object",
  properties: { city: { type: "string", enum: ["Kiel"] } },
  required: ["city"],
  additionalProperties: false,
};
const counted = (input, output, request_id = null) => ({ input: input || 0, output: output || 0, request_id });
const check = (right, what) => {
  if (!right) throw new Error(what);
};
const fails = async (work) => {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
};

async function openaiNode() {
  const [{ default: OpenAI }, version] = await load("openai");
  const model = "gpt-5";
  const messages = [{ role: "user", content: QUESTION }];
  const client = (key, defaultHeaders) => new OpenAI({ baseURL: BASE + "/v1", apiKey: key, maxRetries: 0, defaultHeaders });
  const usage = (reply) => counted(reply.usage.prompt_tokens, reply.usage.completion_tokens, reply._request_id);
  const tool = { type: "function", function: { name: "tide", parameters: SCHEMA } };
  const form = { type: "json_schema", json_schema: { name: "a", schema: SCHEMA, strict: true } };
  return [version, {
    text: async (key) => usage(await client(key).chat.completions.create({ model, messages })),
    stream: async (key) => {
      let last, count = 0;
      const options = { model, messages, stream: true, stream_options: { include_usage: true } };
      for await (const chunk of await client(key).chat.completions.create(options)) (last = chunk), count++;
      check(count > 3, "chunks");
      return usage(last);
    },
    tools: async (key) => {
      const reply = await client(key).chat.completions.create({ model, messages, tools: [tool], tool_choice: "required" });
      check(reply.choices[0].message.tool_calls[0].function.name === "tide", "tool");
      return usage(reply);
    },
    structured: async (key) => {
      const reply = await client(key, SAYS).chat.completions.create({ model, messages, response_format: form });
      check(JSON.parse(reply.choices[0].message.content).city === "Kiel", "answer");
      return usage(reply);
    },
    errors: async (key) => {
      const error = await fails(() => client(key, BUSY).chat.completions.create({ model, messages }));
      check(error.status === 429, "" + error);
    },
    cancel: async (key) => {
      const stream = await client(key, SLOW).chat.completions.create({ model, messages, stream: true });
      for await (const _ of stream) break;
    },
  }];
}

async function anthropicNode() {
  const [{ default: Anthropic }, version] = await load("@anthropic-ai/sdk");
  const ask = { model: "gpt-5", max_tokens: 200, messages: [{ role: "user", content: QUESTION }] }; // GPT, behind messages
  const client = (key, defaultHeaders) => new Anthropic({ baseURL: BASE, apiKey: key, maxRetries: 0, defaultHeaders });
  const usage = (reply) =>
    counted(
      reply.usage.input_tokens + (reply.usage.cache_read_input_tokens || 0) + (reply.usage.cache_creation_input_tokens || 0),
      reply.usage.output_tokens,
      reply._request_id,
    );
  return [version, {
    text: async (key) => usage(await client(key).messages.create(ask)),
    stream: async (key) => usage(await client(key).messages.stream(ask).finalMessage()),
    tools: async (key) => {
      const tools = [{ name: "tide", input_schema: SCHEMA }];
      const reply = await client(key).messages.create({ ...ask, tools, tool_choice: { type: "any" } });
      check(reply.content.at(-1).input.city === "Kiel", "tool");
      return usage(reply);
    },
    structured: async (key) => {
      const output_config = { format: { type: "json_schema", schema: SCHEMA } };
      const reply = await client(key, SAYS).messages.create({ ...ask, output_config });
      check(JSON.parse(reply.content[0].text).city === "Kiel", "answer");
      return usage(reply);
    },
    errors: async (key) => {
      const error = await fails(() => client(key, BUSY).messages.create(ask));
      check(error.status === 429, "" + error);
    },
    cancel: async (key) => {
      const stream = client(key, SLOW).messages.stream(ask);
      for await (const event of stream) if (event.type === "content_block_delta") break;
      stream.abort();
    },
  }];
}

async function vercel() {
  const [ai, version] = await load("ai");
  const [{ createOpenAICompatible }] = await load("@ai-sdk/openai-compatible");
  const [{ createAnthropic }] = await load("@ai-sdk/anthropic");
  const [{ createOpenAI }] = await load("@ai-sdk/openai");
  const open = { baseURL: BASE + "/v1" };
  const chat = (apiKey, headers) =>
    createOpenAICompatible({ ...open, name: "modicum", apiKey, headers, includeUsage: true, supportsStructuredOutputs: true })("claude-opus-4-6");
  const claude = (apiKey, headers) => createAnthropic({ ...open, apiKey, headers })("gemini-2.5-flash");
  const responses = (apiKey, headers) => createOpenAI({ ...open, apiKey, headers }).responses("claude-opus-4-6");
  const usage = (usage) => counted(usage.inputTokens, usage.outputTokens);
  const prompt = QUESTION;
  return [version, {
    text: async (key) => usage((await ai.generateText({ model: claude(key), prompt, maxRetries: 0 })).usage),
    stream: async (key) => {
      const result = ai.streamText({ model: responses(key), prompt, maxRetries: 0 });
      let count = 0;
      for await (const _ of result.textStream) count++;
      check(count > 3, "parts");
      return usage(await result.usage);
    },
    tools: async (key) => {
      const tide = ai.tool({ description: "d", inputSchema: ai.jsonSchema(SCHEMA) });
      const result = await ai.generateText({ model: claude(key), prompt, tools: { tide }, toolChoice: "required", maxRetries: 0 });
      check(result.toolCalls[0].toolName === "tide", "tool");
      return usage(result.usage);
    },
    structured: async (key) => {
      const output = ai.Output.object({ schema: ai.jsonSchema(SCHEMA) });
      const result = await ai.generateText({ model: chat(key, SAYS), prompt, output, maxRetries: 0 });
      check((result.output ?? result.experimental_output).city === "Kiel", "answer");
      return usage(result.usage);
    },
    errors: async (key) => {
      const error = await fails(() => ai.generateText({ model: chat(key, BUSY), prompt, maxRetries: 0 }));
      check(error.statusCode === 429, "" + error);
    },
    cancel: async (key) => {
      const stop = new AbortController();
      const result = ai.streamText({ model: chat(key, SLOW), prompt, maxRetries: 0, abortSignal: stop.signal });
      try {
        for await (const _ of result.textStream) break;
      } finally {
        stop.abort();
      }
    },
  }];
}

const [version, cells] = await { "openai-node": openaiNode, "anthropic-node": anthropicNode, vercel }[process.argv[2]]();
for (const [cell, work] of Object.entries(cells)) {
  let found = { cell, version };
  try {
    found = { ...found, ok: true, usage: (await work(KEYS[cell])) || {} };
  } catch (error) {
    console.error(error);
    found = { ...found, ok: false, why: ("" + error).slice(0, 400) };
  }
  console.log(JSON.stringify(found));
}
process.exit(0);
