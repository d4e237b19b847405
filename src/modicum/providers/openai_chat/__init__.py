"""The dialect of OpenAI's chat completions, which most other servers speak too."""
