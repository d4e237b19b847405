from providers.mock_rig import PLAIN, of_openai


def test_openais_client_reads_moderations():
    with of_openai(PLAIN) as client:
        read = client.moderations.create(input=["a", "b"])
    assert [one.flagged for one in read.results] == [False, False]
