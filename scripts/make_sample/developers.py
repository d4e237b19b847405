"""What the shop's three developers did with their coding agents in a fortnight."""

from collections.abc import Callable

from rollouts import Rollout
from transcripts import Session

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/home/ada/shop/src/gift/card.py", line 88, in redeem\n    balance = ledger.balance(card.number)\n'
    '  File "/home/ada/shop/src/gift/ledger.py", line 31, in balance\n    return sum(self.rows[number])\n'
    "KeyError: 'GC-2041'\n"
)


def voucher(session: Session) -> None:
    """Goes well, apart from a file that is read again and again, a long lunch, and a test run printed in full."""
    said = session.said
    session.user("Add a voucher to the basket: it takes a share off the total, once per customer. " + said.prose(2))
    files = {f"src/{name}.py": said.code(size) for name, size in (("basket", 210), ("voucher", 120), ("tax", 90))}
    for name, code in files.items():
        session.read(name, code, f"I read {name} first.")
    session.subagent("a1f3c2", "Find every caller of the basket total.", 5)
    for number in range(14):
        session.edit("src/basket.py", files["src/basket.py"])
        if number in {1, 3}:
            session.tool("Grep", {"pattern": "tax"}, said.found("tax", 8))
            session.read("src/tax.py", files["src/tax.py"], "I look at the tax again.")
    session.wait(minutes=48)
    session.user("Back from lunch. Now run the tests.")
    session.run("pytest -v", said.test_run(560, 3), say="I run all tests.")
    for number in range(7):
        session.run("pytest -q tests/test_voucher.py", f"{said.log(6)}\n{6 - number} failed", say=said.prose(1))
        session.edit("src/voucher.py", files["src/voucher.py"])
    session.wait(minutes=9)
    session.user("Good. Say in two lines what you did.")
    session.say("The basket takes a voucher once per customer, as a share of the total. All tests pass.")


def stuck(session: Session) -> None:
    """Repeats one failing command, and is given up."""
    said = session.said
    session.user("The nightly import fails since yesterday. Find out why. " + said.prose(2))
    session.read("src/nightly.py", said.code(150), "I read the import.")
    failure = "make: *** [import] Error 1\nconnection refused: warehouse:5432\n" + said.log(30)
    for _ in range(6):
        session.run("make import", failure, failed=True)
    session.tool("Grep", {"pattern": "warehouse"}, said.found("warehouse", 40), say="Let me look elsewhere.")
    for number in range(4):
        session.run(f"tail -n {40 + number} import.log", said.log(40 + number))
    session.wait(minutes=14)
    session.user(
        "Did you check the password? The service key is AKIAIOSFODNN7EXAMPLE, the admin dba@warehouse.internal."
    )
    session.tool("Grep", {"pattern": "password"}, said.found("password", 30))
    session.say("I could not find the cause.")


def review(session: Session) -> None:
    """A long review in one sitting, with pauses, and a compaction in the middle."""
    said = session.said
    session.user("Review the whole checkout with me, part by part.")
    for number in range(15):
        session.read(f"src/checkout/part{number}.py", said.code(session.chance.randint(50, 130)))
        if number % 3 == 2:
            session.say(said.prose(4))
            session.wait(minutes=session.chance.choice([1, 2, 3, 17]))
            session.user(said.prose(1))
    session.compact("Summary of the review so far. " + said.prose(14))
    session.user("Go on with the last three parts.")
    for number in range(15, 18):
        session.read(f"src/checkout/part{number}.py", said.code(70))
    session.say(said.prose(5))


def gift_cards(session: Session) -> None:
    """The same trace pasted twice, a search of the web, and an afternoon with interruptions."""
    said = session.said
    session.user("Redeeming a gift card fails:\n" + TRACE + said.code(12))
    card = said.code(150)
    session.read("src/gift/card.py", card, "I read the card.")
    session.read("src/gift/ledger.py", said.code(110))
    session.reply([{"type": "text", "text": said.prose(2)}], server_tool_use={"web_search_requests": 2})
    for _ in range(9):
        session.edit("src/gift/card.py", card)
    session.run("pytest -q tests/test_gift.py", f"{said.log(25)}\n1 failed", say="I run its tests.")
    session.wait(minutes=22)
    session.user("Still there:\n" + TRACE + said.code(12))
    session.user("And once more in full:\n" + TRACE)
    session.tool("Grep", {"pattern": "balance"}, said.found("balance", 60), say=said.prose(1))
    for _ in range(12):
        session.edit("src/gift/card.py", card)
    session.wait(minutes=31)
    session.user("Customer +44 20 7946 0321 with card 4012 8888 8888 1881 can redeem now. Clean up, please.")
    session.run("git status --short", "\n".join(f" M src/gift/{said.noun()}.py" for _ in range(9)))
    session.say(said.prose(3))


def refactor(session: Session) -> None:
    """An editing tool that refuses three times because the file was not read."""
    said = session.said
    session.user("Move the rounding rules out of tax.py. " + said.prose(2))
    tax = said.code(130)
    session.read("src/tax.py", tax)
    for number in range(3):
        arguments = {"file_path": "/home/ada/shop/src/rounding.py", "old_string": f"rule {number}", "new_string": "x"}
        session.tool("Edit", arguments, "File has not been read yet. Read it first before writing to it.", failed=True)
    session.read("src/rounding.py", said.code(60))
    for _ in range(18):
        session.edit("src/tax.py", tax)
    session.wait(minutes=38)
    session.user("Do all callers still work?")
    session.subagent("b7d901", "Find all callers of the rounding rules.", 4)
    session.run("pytest -q", f"{said.log(30)}\n212 passed")
    session.wait(minutes=12)
    session.user("Write the commit message.")
    session.say(said.prose(2))


def label(session: Session) -> None:
    """A short fix without waste."""
    said = session.said
    session.user("Labels print the depot twice. " + said.prose(1))
    code = said.code(100)
    session.read("src/label.py", code, "I look at the label.")
    session.tool("Grep", {"pattern": "depot"}, said.found("depot", 20))
    for _ in range(5):
        session.edit("src/label.py", code)
    session.run("pytest -q tests/test_label.py", "14 passed in 2.1s")
    session.say("The depot is printed once; a test holds it.")


def lookups(session: Session) -> None:
    """Questions that a small model could have answered."""
    said = session.said
    session.user("Where is the price of a parcel computed?")
    for word in ("price", "parcel", "rounding", "carrier"):
        session.tool("Grep", {"pattern": word}, said.found(word, 24))
        session.read(f"src/{word}.py", said.code(60))
    session.say("In src/price.py, function price_parcel.")


def migration(session: Session) -> None:
    """A dump of a table that nobody needed, carried to the end of a long session, which came to nothing."""
    said = session.said
    session.user("Move the orders table to the new schema. " + said.prose(2))
    schema = said.code(140)
    session.read("src/schema.py", schema, "I read the schema.")
    dump = "\n".join(
        f"{number},{said.chance.randrange(16**10):010x},{said.chance.randrange(16**12):012x},{said.noun()}"
        for number in range(560)
    )
    session.run("psql -c 'copy orders to stdout csv'", dump, say="I look at the data.")
    for number in range(16):
        session.edit("src/schema.py", schema)
        session.run(f"make migrate STEP={number}", f"{said.log(9)}\nstep {number} done")
    session.wait(minutes=26)
    session.user("Did the last step run? " + said.prose(1))
    session.run("make check", f"{said.log(20)}\n41 rows differ", failed=True)
    session.edit("src/schema.py", schema)
    session.wait(minutes=19)
    session.user("We stop here, the schema changes again next week.")
    session.say("The migration is not done: 41 rows differ.")


def routes(session: Session) -> None:
    """A long feature over a day with two pauses and one very long answer."""
    said = session.said
    session.user("Group the parcels of one route into one stop. " + said.prose(3))
    files = {f"src/route/{name}.py": said.code(100) for name in ("plan", "stop", "depot")}
    for name, code in files.items():
        session.read(name, code)
    session.subagent("c0ffe1", "Which tests touch the route plan?", 4)
    for number in range(24):
        name = list(files)[number % 3]
        session.edit(name, files[name])
        if number % 3 == 2:
            session.run("pytest -q tests/test_route.py", f"{said.log(12)}\n{23 - number} failed", say=said.prose(1))
        if number in {9, 18}:
            session.wait(minutes=10 + number)
            session.user("Go on. " + said.prose(1))
    session.say("I explain it all. " + said.prose(60))
    session.run("pytest -q", f"{said.log(16)}\n230 passed")
    session.say("Parcels of one route share a stop.")


def codex_fix(rollout: Rollout) -> None:
    said = rollout.said
    rollout.user("The stock of a slot goes below zero. Find the cause and mend it.")
    for number, word in enumerate(("stock", "slot", "quantity", "shelf")):
        rollout.shell(f"rg -n {word} src", said.found(word, 26), reasoning=180 + 40 * number)
        rollout.shell(f"sed -n 1,90p src/{word}.py", said.code(70), reasoning=96)
    for _ in range(4):
        rollout.shell("apply_patch <<'EOF'\n" + said.code(6) + "\nEOF", "Done!", reasoning=140)
        rollout.shell("pytest -q tests/test_stock.py", f"{said.log(8)}\n1 failed", reasoning=64)
    rollout.wait(seconds=90)
    rollout.say("The slot was counted twice; it is mended, and a test holds it.")


SESSIONS: tuple[tuple[str, str, str, str, Callable[[Session], None], float], ...] = (
    ("0302-voucher", "ada", "feature/voucher", "2026-03-02T09:04:00", voucher, 1),
    ("0302-label", "ben", "fix/label", "2026-03-02T10:20:00", label, 1),
    ("0303-import", "ada", "fix/import", "2026-03-03T08:55:00", stuck, 0),
    ("0304-lookups", "ben", "main", "2026-03-04T13:10:00", lookups, 1),
    ("0305-review", "ada", "review/checkout", "2026-03-05T09:30:00", review, 1),
    ("0306-routes", "ben", "feature/routes", "2026-03-06T08:40:00", routes, 1),
    ("0309-gift", "ada", "fix/gift-cards", "2026-03-09T09:15:00", gift_cards, 1),
    ("0310-migration", "ben", "chore/schema", "2026-03-10T10:05:00", migration, 0),
    ("0312-rounding", "ada", "refactor/rounding", "2026-03-12T09:45:00", refactor, 1),
    ("0313-label2", "ben", "fix/label-again", "2026-03-13T11:00:00", label, 1),
)
"""Name, person, branch, begin (UTC), story, and whether its tests passed."""
ROLLOUTS: tuple[tuple[str, str, str, Callable[[Rollout], None], float], ...] = (
    ("0199a0d0-0000-7000-8000-000000000001", "fix/stock", "2026-03-04T09:20:00", codex_fix, 1),
    ("0199a0f9-0000-7000-8000-000000000002", "fix/slot", "2026-03-11T14:05:00", codex_fix, 1),
)
"""Thread, branch, begin, story, and whether its tests passed: the third developer's."""
