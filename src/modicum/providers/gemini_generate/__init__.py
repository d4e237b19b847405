"""The dialect of Gemini's API: generateContent and streamGenerateContent."""
