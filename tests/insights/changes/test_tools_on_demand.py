"""The history without schemas that are hardly ever called."""

from insights.planted import PRICES, Conversation, asked, history_of, result, schema, user
from modicum.insights.changes.tools_on_demand import send_tools_on_demand
from modicum.insights.finding import FindingClass
from modicum.insights.what_if import SEND_TOOLS, parse_what_if
from modicum.optimizers.tools_on_demand import LEAST_CONVERSATIONS


def talk(number, tool="search", tokens=400):
    one = Conversation(f"t{number:02}")
    one.call(schema("search", tokens), schema("mail", tokens), user(f"task {number}", 50))
    return one.call(asked(tool, "x"), result(tool, "x", "found", 300))


def left(history):
    """Tokens of schemas by conversation, after the change."""
    tokens = send_tools_on_demand(history).segment_tokens
    schemas = history.segment_kind == history.code_of(history.kinds, "tool_schema")
    return tokens[schemas].reshape(-1, 2).tolist()


def test_only_conversations_that_begin_when_enough_is_known_leave_schemas_out():
    sizes = left(history_of(*map(talk, range(LEAST_CONVERSATIONS + 2))))

    assert sizes[:LEAST_CONVERSATIONS] == [[400, 400]] * LEAST_CONVERSATIONS
    assert [(used, 0 < seldom < 100) for used, seldom in sizes[LEAST_CONVERSATIONS:]] == [(400, True)] * 2


def test_what_a_conversation_calls_in_the_end_was_there():
    sizes = left(history_of(*map(talk, range(LEAST_CONVERSATIONS)), talk(LEAST_CONVERSATIONS, "mail")))

    assert sizes[-1] == [400, 400]


def test_small_schemas_stay():
    assert left(history_of(*(talk(number, tokens=100) for number in range(12)))) == [[100, 100]] * 12


def test_it_is_offered_as_an_upper_bound():
    history = history_of(*map(talk, range(12)))
    change = parse_what_if(SEND_TOOLS, history, PRICES)

    assert change.finding_class is FindingClass.UPPER_BOUND
    assert change.change.segment_tokens.sum() < history.segment_tokens.sum()
