from modicum.providers.batches.openai import OpenAIBatches


def test_results_are_no_files_unless_an_api_says_so():
    class Plain(OpenAIBatches):
        is_result_file = OpenAIBatches.__mro__[1].is_result_file

    assert not Plain().is_result_file({"purpose": "batch_output"})
