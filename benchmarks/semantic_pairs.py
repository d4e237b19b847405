"""Questions of our own with known answers, written before there was any rule that compares meanings.

Two texts of one intent want the same answer; two of different intents never do, however alike they are: families differ
in one name, and the shop's questions have twins that differ in one word. Half of the families and of the shop's
questions are for development, half for the evaluation.
"""
# ruff: noqa: E501 - texts as they are

import random

FAMILIES = {
    "capital": (
        (
            "What is the capital of {x}?|Which city is the capital of {x}?|Name the capital city of {x}.|{x}: capital?|"
            "Tell me {x}'s capital.|I need to know the capital of {x}, please.|What's {x}'s capital city called?|"
            "Could you tell me which city serves as the capital of {x}?|capital of {x}|Where does {x} have its capital?"
        ),
        "France|Austria|Australia|Niger|Nigeria|Slovakia|Slovenia|Chile|Canada|Guinea|Guyana|Paraguay",
    ),
    "currency": (
        (
            "What currency is used in {x}?|Which currency does {x} have?|What money do people pay with in {x}?|"
            "{x} currency|What is the official currency of {x}?|Name the currency of {x}.|"
            "If I travel to {x}, which currency do I need?|Tell me the currency they use in {x}.|"
            "What do they pay with in {x}?|I'm going to {x}. What is the money called there?"
        ),
        "Japan|Jordan|Sweden|Switzerland|Iran|Iraq|Ireland|Iceland|India|Indonesia|Mali|Malawi",
    ),
    "boil": (
        (
            "At what temperature does {x} boil?|What is the boiling point of {x}?|Boiling point of {x}?|"
            "How hot must {x} be to boil?|Give me the boiling point of {x} in degrees Celsius.|"
            "When does {x} start to boil?|Tell me at which temperature {x} boils.|{x} boils at how many degrees?|"
            "I need the boiling temperature of {x}.|What's the temperature at which {x} begins boiling?"
        ),
        "water|ethanol|methanol|mercury|benzene|acetone|ammonia|nitrogen|oxygen|propane|butane|toluene",
    ),
    "author": (
        (
            "Who wrote {x}?|Who is the author of {x}?|{x} was written by whom?|Name the author of {x}.|"
            "Which writer wrote {x}?|Tell me who wrote {x}.|Author of {x}?|I forgot who wrote {x}. Who was it?|"
            "Can you tell me the author of {x}?|By whom is {x}?"
        ),
        "Emma|Ulysses|Dracula|Frankenstein|Middlemarch|Hamlet|Faust|Candide|Walden|Ivanhoe|Persuasion|Macbeth",
    ),
    "reverse": (
        (
            "How do I reverse a {x} in Python?|Reverse a {x} in Python|What's the Python way to reverse a {x}?|"
            "Show me how a {x} is reversed in Python.|Python: reverse {x}|In Python, how can a {x} be reversed?|"
            "I have a {x} in Python and want it backwards.|Give me Python code that reverses a {x}.|"
            "Which Python expression reverses a {x}?|How would you turn a {x} around in Python?"
        ),
        "list|string|tuple|dictionary|linked list|numpy array|deque|bytes object|pandas column|generator|stack|matrix",
    ),
    "convert": (
        (
            "How many {x}?|Convert: how many {x}|Tell me how many {x}.|I need to know how many {x}.|"
            "What's the number: how many {x}?|Can you tell me how many {x}?|Please compute how many {x}.|"
            "Quick question, how many {x}?|Do you know how many {x}?|Give me the figure for how many {x}."
        ),
        (
            "feet are in a mile|feet are in a yard|inches are in a foot|inches are in a yard|grams are in a pound|"
            "grams are in an ounce|ounces are in a pound|pints are in a gallon|quarts are in a gallon|"
            "days are in a leap year|weeks are in a year|seconds are in a day"
        ),
    ),
    "opposite": (
        (
            "What is the opposite of '{x}'?|Give an antonym of '{x}'.|Antonym for '{x}'?|Opposite of {x}|"
            "Which word means the opposite of '{x}'?|Tell me a word that is the opposite of '{x}'.|"
            "I need the antonym of '{x}'.|What word is the contrary of '{x}'?|'{x}': its opposite is?|"
            "Find me the opposite of the word '{x}'."
        ),
        "increase|decrease|accept|reject|ancient|modern|include|exclude|expand|contract|arrive|depart",
    ),
    "status": (
        (
            "What does HTTP status {x} mean?|Meaning of HTTP {x}?|Explain the HTTP status code {x}.|HTTP {x}|"
            "My server answers with {x}. What does this HTTP status say?|What is the HTTP code {x} for?|"
            "When is the HTTP status code {x} sent?|Tell me what an HTTP {x} response means.|"
            "I got a {x} over HTTP. What does it mean?|Describe the HTTP status code {x} in one sentence."
        ),
        "200|201|204|301|302|304|400|401|403|404|409|503",
    ),
    "translate": (
        (
            "How do you say '{x}' in Spanish?|Translate '{x}' into Spanish.|'{x}' in Spanish?|Spanish for '{x}'|"
            "What is the Spanish word for '{x}'?|Give me the Spanish translation of '{x}'.|"
            "I need '{x}' in Spanish, please.|What's '{x}' called in Spanish?|Tell me the Spanish for '{x}'.|"
            "Can you translate the word '{x}' to Spanish?"
        ),
        "house|horse|mouse|bread|beard|bird|window|winter|summer|brother|mother|father",
    ),
    "symbol": (
        (
            "What is the chemical symbol of {x}?|Chemical symbol for {x}?|Which symbol does {x} have?|"
            "Give the symbol of the element {x}.|{x}: symbol in the periodic table?|"
            "How is {x} written in the periodic table?|Tell me the chemical symbol for {x}.|"
            "What letters stand for the element {x}?|Symbol of {x}|I need the periodic table symbol of {x}."
        ),
        "iron|lead|gold|silver|sodium|potassium|calcium|cobalt|copper|chlorine|chromium|carbon",
    ),
    "git": (
        (
            "How do I {x} in git?|git: {x}|Which git command lets me {x}?|What's the command to {x} with git?|"
            "Show me how to {x} using git.|I want to {x} in git. How?|Give me the git command to {x}.|"
            "With git, how can I {x}?|Tell me the way to {x} in git.|What do I type to {x} in git?"
        ),
        (
            "undo the last commit|change the last commit message|delete a local branch|delete a remote branch|"
            "rename a branch|create a branch|list all branches|list all tags|delete a tag|create a tag|"
            "discard local changes|stash local changes"
        ),
    ),
    "year": (
        (
            "When did {x}?|In which year did {x}?|What year did {x}?|Tell me when {x}... I mean, in which year did {x}?|"
            "The year in which {x}?|Do you know when {x}? Which year did it happen?|Give me the year: when did {x}?|"
            "I forgot in what year {x}. When was that?|Year: {x}|Can you say in which year {x}?"
        ),
        (
            "World War I begin|World War I end|World War II begin|World War II end|the Berlin Wall fall|"
            "the Berlin Wall go up|the Titanic sink|the French Revolution begin|the American Civil War begin|"
            "the American Civil War end|the Soviet Union end|the Black Death reach Europe"
        ),
    ),
}
"""How each asks, and about what. Every thing asked about is an intent of its own."""

SHOP = {
    "cancel order": "How do I cancel my order?|Cancel an order|I want to cancel the order I placed.|Can I still cancel "
    "an order?|I need to stop my order.|Please tell me how an order is cancelled.",
    "cancel subscription": "How do I cancel my subscription?|Cancel a subscription|I want to cancel the subscription I "
    "have.|Can I still cancel a subscription?|I need to stop my subscription.|Please tell me how a subscription is "
    "cancelled.",
    "return worn": "Can I return shoes that I have worn?|Do you take back worn shoes?|Returning shoes after wearing "
    "them|I wore the shoes once. Can they go back?|Is a return possible for used shoes?|May worn shoes be returned?",
    "return unworn": "Can I return shoes that I have not worn?|Do you take back unworn shoes?|Returning shoes without "
    "wearing them|I never wore the shoes. Can they go back?|Is a return possible for new shoes?|May unworn shoes be "
    "returned?",
    "delivery home": "How long does delivery within the country take?|Domestic delivery time?|When will a parcel "
    "arrive at home in this country?|How many days until a domestic order arrives?|Delivery time inland|How fast do you ship "
    "domestically?",
    "delivery abroad": "How long does delivery to other countries take?|International delivery time?|When will a "
    "parcel arrive abroad?|How many days until an international order arrives?|Delivery time abroad|How fast do you ship "
    "internationally?",
    "change email": "How can I change my email address?|Change the email of my account|I have a new email address. "
    "Where do I enter it?|Update email|My account has an old email address, how do I replace it?|Where do I edit my "
    "email?",
    "change address": "How can I change my postal address?|Change the postal address of my account|I have a new postal "
    "address. Where do I enter it?|Update address|My account has an old postal address, how do I replace it?|Where do "
    "I edit my address?",
    "pay late": "What happens if I pay an invoice late?|Late payment of an invoice|I missed the due date of an "
    "invoice. What now?|Is there a fee when an invoice is paid late?|My payment is overdue, what follows?|Consequences of "
    "paying late?",
    "pay early": "What happens if I pay an invoice early?|Early payment of an invoice|I pay before the due date of an "
    "invoice. What now?|Is there a discount when an invoice is paid early?|My payment is ahead of time, what follows?|"
    "Advantages of paying early?",
    "gift wrap": "Do you wrap gifts?|Is there gift wrapping?|Can my parcel be wrapped as a present?|I want it "
    "gift-wrapped.|Gift wrap available?|Could you pack it as a gift?",
    "gift card": "Do you sell gift cards?|Is there a gift card?|Can I buy a voucher as a present?|I want a gift card.|"
    "Gift card available?|Could I get a voucher as a gift?",
}
"""A shop's questions; each stands beside its twin."""

OPENINGS = "||||Hi, |Hello! |Hey. |Please: |Quick question. |One more: |I have a question: |Sorry to bother you. |"
CLOSINGS = "||||  Thanks!| Thank you.| Please be brief.| Just the answer, please.| It is for a friend.| It's urgent.|"
"""What people put around a question: it changes nothing of the answer, and makes most texts new ones."""

Ask = tuple[str, str]
"""What is asked, and the intent that it has."""


def intents(*, evaluation: bool) -> dict[str, list[str]]:
    """The texts of each intent, of one half: every second family, and every second pair of the shop's twins."""
    found: dict[str, list[str]] = {}
    for number, (family, (ways, things)) in enumerate(FAMILIES.items()):
        if number % 2 == int(evaluation):
            for thing in things.split("|"):
                found[f"{family} {thing}"] = [way.format(x=thing) for way in ways.split("|")]
    for number, (name, ways) in enumerate(SHOP.items()):
        if number // 2 % 2 == int(evaluation):
            found[name] = ways.split("|")
    return found


def stream(texts: dict[str, list[str]], count: int, seed: int) -> list[Ask]:
    """Questions as they might come: few intents often, most seldom, each asked in any of its ways."""
    chance = random.Random(seed)
    names = sorted(texts)
    chance.shuffle(names)
    weights = [1 / (rank + 3) for rank in range(len(names))]
    openings, closings = OPENINGS.split("|"), CLOSINGS.split("|")
    return [
        (f"{chance.choice(openings)}{chance.choice(texts[name])}{chance.choice(closings)}", name)
        for name in chance.choices(names, weights, k=count)
    ]
