from modicum.providers.gemini_generate.model_list import MODEL_LIST


def test_a_list_is_read_and_written():
    (model,) = MODEL_LIST.read(b'{"models":[{"name":"models/gemini-3-pro","version":"3"},{}]}')
    assert model.name == "gemini-3-pro"
    assert MODEL_LIST.renamed("fast", model) == {"name": "models/fast", "version": "3", "displayName": "fast"}
    assert MODEL_LIST.one("fast")["supportedGenerationMethods"] == ["generateContent", "countTokens"]
    assert MODEL_LIST.whole([{"name": "models/a"}]) == {"models": [{"name": "models/a"}]}
